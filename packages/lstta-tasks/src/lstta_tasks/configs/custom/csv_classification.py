"""LSTTA on videos and labels of one's own, from a CSV file: columns video, label and, where there is one, text.

command:  lstta cache build custom/csv_classification --cfg-options task.path=MY.csv
          lstta train custom/csv_classification --cfg-options task.path=MY.csv
time:     as long as the data; see docs/tasks/classification.md
result:   yours. With the tiny encoders, which know the built-in world alone, expect little of real videos: take
          pretrained ones, as in avqa/pretrained_lstta
"""

from mmengine.config import read_base

with read_base():
    from ..base.schedule import *
    from ..base.tiny_encoders import *

task = dict(name="classification", path="my.csv")
method = dict(name="lstta", width=48, heads=4, latents=4, window=3)
clips = dict(segments=8, sound_seconds=1.0, fit="squash", cache="data/cache/csv_classification", codec="raw")
loader = dict(batch_size=16, workers=1)
train_cfg = dict(max_epochs=5, val_interval=1)
schedule = dict(warmup_epochs=1, decay="cosine")
