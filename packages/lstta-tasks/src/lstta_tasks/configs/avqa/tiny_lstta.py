"""LSTTA on the built-in clips with the tiny encoders.

command:  lstta train avqa/tiny_lstta     (before it: lstta generate avqa --out data/built-in/avqa --train 900 --val
          60 --test 200, and lstta cache build avqa/tiny_lstta)
time:     155 s on two cores, 450 steps of 32 questions
result:   of version 0.1, whose adapters and rate were others:
          val .602; test .579, where majority answers by type reach .326 (one run, seed 0, 900 training clips)
"""

from mmengine.config import read_base

with read_base():
    from ..base.schedule import *
    from ..base.tiny_encoders import *

task = dict(name="avqa", root="data/built-in/avqa")
method = dict(name="lstta", width=48, heads=4, latents=4, window=3)
clips = dict(segments=8, sound_seconds=1.0, fit="squash", cache="data/cache/avqa_tiny", codec="raw")
loader = dict(batch_size=32, workers=1)
train_cfg = dict(max_epochs=2, val_interval=1)
