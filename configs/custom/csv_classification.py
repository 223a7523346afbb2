"""LSTTA on videos and labels of one's own, from a CSV file: columns video, label and, where there is one, text.

command:  tools/cache.py build configs/custom/csv_classification.py --cfg-options task.path=MY.csv
          tools/train.py configs/custom/csv_classification.py --cfg-options task.path=MY.csv
time:     as long as the data; see docs/tasks/classification.md
result:   yours. With the tiny encoders, which know the built-in world alone, expect little of real videos: take
          pretrained ones, as in configs/avqa/pretrained_lstta.py
"""

from mmengine.config import read_base
from mmengine.optim import CosineAnnealingLR, LinearLR

with read_base():
    from ..base.schedule import *
    from ..base.tiny_encoders import *

task = dict(name="classification", path="my.csv")
method = dict(name="lstta", width=48, heads=4, latents=4, window=3)
clips = dict(segments=8, sound_seconds=1.0, fit="squash", cache="data/cache/csv_classification", codec="raw")
loader = dict(batch_size=16, workers=1)
train_cfg = dict(max_epochs=5, val_interval=1)
param_scheduler = [
    dict(type=LinearLR, start_factor=0.01, by_epoch=True, begin=0, end=1, convert_to_iter_based=True),
    dict(type=CosineAnnealingLR, T_max=5, by_epoch=True, begin=0, end=5, convert_to_iter_based=True),
]
