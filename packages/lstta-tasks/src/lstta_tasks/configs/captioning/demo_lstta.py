"""LSTTA on captions of built-in clips, said by the tiny speaker: the demo of answers in words.

command:  lstta train captioning/demo_lstta     (`make demo-captions` makes clips and caches before it)
          it needs:  pip install "lstta-tasks[captions]"
time:     226 s on two cores, 1,128 steps of 32 captions
result:   CIDEr-D 1.538 on 128 clips of test, one caption for all .626 (one run, seed 0)

Adapters stand at the last two of four stages; what the frozen encoders of sight and sound make of the clips is read
from a prefix cache. It is the run of LSTTA on more clips of the study `words`, half as long.
"""

from mmengine.config import read_base

with read_base():
    from ..base.schedule import *
    from ..base.tiny_encoders import *

encoders.update(language=dict(name="tiny-speaker"))
model.pop("readout")
model.update(adapted=2)
task = dict(name="captioning", root="data/built-in/captions", length=56)
method = dict(name="lstta", width=48)
optim_wrapper.optimizer.update(lr=1e-3)
clips = dict(
    segments=8,
    sound_seconds=1.0,
    fit="squash",
    cache="data/cache/captions_demo",
    codec="raw",
    prefix="data/cache/captions_demo_last2",
)
loader = dict(batch_size=32, workers=0)
train_cfg = dict(max_epochs=6, val_interval=1)
