"""LSTTA on the events of built-in clips second by second, with the tiny encoders of sight and of sound.

command:  lstta train ave/tiny_lstta     (before it: lstta generate ave --out data/built-in/ave, and
          lstta cache build ave/tiny_lstta)
time:     pending
result:   pending
"""

from mmengine.config import read_base

with read_base():
    from ..base.schedule import *
    from ..base.tiny_encoders import *

task = dict(name="ave", root="data/built-in/ave")
encoders.pop("language")
method = dict(name="lstta", width=48, heads=4, latents=4, window=3)
clips = dict(segments=10, sound_seconds=1.0, fit="squash", cache="data/cache/ave_tiny", codec="raw")
loader = dict(batch_size=32, workers=1)
train_cfg = dict(max_epochs=4, val_interval=1)
