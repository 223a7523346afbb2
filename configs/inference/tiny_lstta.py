"""LSTTA on statements about what built-in talkers mean, with the tiny encoders.

command:  tools/train.py configs/inference/tiny_lstta.py --work-dir work_dirs/inference --from work_dirs/sentiment/best
          before it: tools/generate.py inference --out data/built-in/inference --train 900 --val 100 --test 200
          and:       tools/cache.py build configs/inference/tiny_lstta.py
          and:       the adapter of configs/sentiment/tiny_lstta.py, which this one starts from
time:     285 s of processor time on one core, 338 steps of 32 statements, with the tests of val and test
result:   val accuracy .912; test .789, where one answer to all gives .5 (one run, seed 0)
"""

from mmengine.config import read_base
from mmengine.optim import CosineAnnealingLR, LinearLR

with read_base():
    from ..base.schedule import *
    from ..base.tiny_encoders import *

task = dict(name="inference", root="data/built-in/inference")
method = dict(name="lstta", width=48, heads=4, latents=4, window=3)
clips = dict(segments=8, sound_seconds=1.0, fit="squash", cache="data/cache/inference_tiny", codec="raw")
loader = dict(batch_size=32, workers=1)
train_cfg = dict(max_epochs=2, val_interval=1)
param_scheduler = [
    dict(type=LinearLR, start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type=CosineAnnealingLR, T_max=2, by_epoch=True, begin=0, end=2, convert_to_iter_based=True),
]
