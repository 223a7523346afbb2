"""LSTTA on captions of the built-in clips, said by the tiny speaker.

command:  lstta train captioning/tiny_lstta --work-dir work_dirs/captioning
          before it: lstta generate retrieval --out data/built-in/retrieval --train 800 --val 128 --test 256
          and:       lstta cache build captioning/tiny_lstta
          it needs:  pip install "lstta-tasks[captions]"
time:     pending
result:   pending; the study `words` at the last two stages, CIDEr-D 1.989 with 1,200 clips: docs/tasks/captioning.md
"""

from mmengine.config import read_base

with read_base():
    from ..base.schedule import *
    from ..base.tiny_encoders import *

encoders.update(language=dict(name="tiny-speaker"))
model.pop("readout")
task = dict(name="captioning", root="data/built-in/retrieval", length=56)
method = dict(name="lstta", width=48, heads=4, latents=4, window=3)
clips = dict(segments=8, sound_seconds=1.0, fit="squash", cache="data/cache/captioning_tiny", codec="raw")
loader = dict(batch_size=32, workers=1)
train_cfg = dict(max_epochs=5, val_interval=1)
