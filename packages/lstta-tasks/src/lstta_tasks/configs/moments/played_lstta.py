"""LSTTA on the moments that play (what is seen and what sounds, second by second) with the tiny encoders: the demo.

command:  lstta train moments/played_lstta     (`make demo` makes clips and caches before it)
peer:     add --cfg-options "method={'_delete_': True, 'name': 'none'}" for the frozen model with its head
time:     104 s of two cores beside tests, 2,115 steps of 32 questions
result:   test .992, the frozen model with its head .128, majority answers by type .124 (one run each, seed 0)

The readout fuses nothing: it is the mean of what each encoder gives, weighted with the importances. Adapters stand at
the last of four stages, behind all blocks, and what the frozen encoders make of clips and questions is read from a
prefix cache.
"""

from mmengine.config import read_base

with read_base():
    from ..base.schedule import *
    from ..base.tiny_encoders import *

task = dict(name="avqa", root="data/built-in/played")
model.update(adapted=1)
model.readout.update(guided=False)
method = dict(name="lstta", width=53, heads=4, latents=4, window=3)
optim_wrapper.optimizer.update(lr=1e-3)
clips = dict(
    segments=8,
    sound_seconds=1.0,
    fit="squash",
    cache="data/cache/played_tiny",
    codec="raw",
    prefix="data/cache/played_tiny_last",
)
loader = dict(batch_size=32, workers=0)
train_cfg = dict(max_epochs=9, val_interval=9)
