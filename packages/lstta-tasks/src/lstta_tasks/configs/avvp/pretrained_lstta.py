"""LSTTA on the files of LLP with two pretrained encoders: DINOv2-S and Whisper tiny.

command:  lstta train avvp/pretrained_lstta --work-dir work_dirs/avvp --cfg-options task.root=FOLDER
offline:  add encoders.visual.model=DIR encoders.audio.model=DIR
time:     pending
result:   pending

Ten segments, a second each. The hub's newest revision is taken: pin it with encoders.visual.revision and so on.
"""

from mmengine.config import read_base

with read_base():
    from ..base.pretrained_encoders import *
    from ..base.schedule import *

encoders.audio.update(seconds=10.0)
encoders.pop("language")
task = dict(name="avvp", root="data/llp")
method = dict(name="lstta", width=64, heads=4, latents=4, window=3)
clips = dict(segments=10, sound_seconds=1.0, fit="squash", cache="data/cache/avvp_pretrained", codec="jpeg")
loader = dict(batch_size=16, workers=2)
train_cfg = dict(max_epochs=10, val_interval=1)
schedule.update(warmup_steps=100)
