"""LSTTA on the moments that play, with one visual transformer for both sight and sound: LAVISH's way.

command:  lstta train moments/one_visual_lstta     (before it: lstta generate played --out data/built-in/played --train
          1500 --val 60 --test 200, then lstta cache build and lstta cache prefix, both with moments/one_visual_lstta)
peers:    add --cfg-options "method={'_delete_': True, 'name': 'none'}" for the frozen model with its head, or
          "method={'_delete_': True, 'name': 'lavish', 'budget': 120000}"
time:     pending
result:   pending

All is as in moments/played_lstta, whose cache of clips serves here too, but the audio encoder, which is tiny-visual: it
never saw a spectrogram, so its frozen features of sound are not made for it.
"""

from mmengine.config import read_base

with read_base():
    from ..base.one_visual_encoder import *
    from ..base.schedule import *

task = dict(name="avqa", root="data/built-in/played")
model.update(adapted=1)
model.readout.update(guided=False)
method = dict(name="lstta", budget=120_000)
optim_wrapper.optimizer.update(lr=1e-3)
clips = dict(
    segments=8,
    sound_seconds=1.0,
    fit="squash",
    cache="data/cache/played_tiny",
    codec="raw",
    prefix="data/cache/played_one_visual_last",
)
loader = dict(batch_size=32, workers=0)
train_cfg = dict(max_epochs=3, val_interval=3)
