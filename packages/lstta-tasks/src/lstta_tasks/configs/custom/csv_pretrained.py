"""LSTTA on videos and labels of one's own, from a CSV file, with pretrained encoders, on a laptop.

command:  lstta cache build custom/csv_pretrained --cfg-options task.path=MY.csv
          lstta cache prefix custom/csv_pretrained --cfg-options task.path=MY.csv
          lstta train custom/csv_pretrained --cfg-options task.path=MY.csv
offline:  add encoders.visual.model=DIR encoders.audio.model=DIR encoders.language.model=DIR to each
"""

from mmengine.config import read_base

with read_base():
    from ..base.pretrained_encoders import *
    from ..base.schedule import *

encoders.visual.update(size=(84, 112))
encoders.language.update(max_length=32)
task = dict(name="classification", path="my.csv")
method = dict(name="lstta", width=48, heads=4, latents=4, window=3)
model.update(adapted=1)
model.readout.update(width=128)
clips = dict(
    segments=8,
    sound_seconds=1.0,
    fit="squash",
    cache="data/cache/csv_pretrained",
    codec="jpeg",
    prefix="data/cache/csv_pretrained_prefix",
)
loader = dict(batch_size=8, workers=0)
train_cfg = dict(max_epochs=20, val_interval=1)
schedule = dict(warmup_epochs=1, decay="cosine")
