"""LSTTA on the sentiment of built-in talkers, with the tiny encoders.

command:  lstta train sentiment/tiny_lstta --work-dir work_dirs/sentiment
          before it: lstta generate sentiment --out data/built-in/sentiment --train 2000 --val 300 --test 400
          and:       lstta cache build sentiment/tiny_lstta
time:     190 s of processor time on one core, 504 steps of 32 utterances, with the tests of val
result:   of version 0.1, whose adapters and rate were others:
          val mean absolute error .237; test .483, correlation .910, where always the mean gives 1.18 (one run, seed 0)
"""

from mmengine.config import read_base

with read_base():
    from ..base.schedule import *
    from ..base.tiny_encoders import *

task = dict(name="sentiment", root="data/built-in/sentiment")
method = dict(name="lstta", width=48, heads=4, latents=4, window=3)
clips = dict(segments=4, sound_seconds=1.0, fit="squash", cache="data/cache/sentiment_tiny", codec="raw")
loader = dict(batch_size=32, workers=1)
train_cfg = dict(max_epochs=8, val_interval=1)
