"""LSTTA on videos and labels of one's own, from a CSV file, with pretrained encoders, on a laptop.

command:  lstta cache build custom/csv_pretrained --cfg-options task.path=MY.csv
          lstta cache prefix custom/csv_pretrained --cfg-options task.path=MY.csv
          lstta train custom/csv_pretrained --cfg-options task.path=MY.csv
offline:  add encoders.visual.model=DIR encoders.audio.model=DIR encoders.language.model=DIR to each
time:     a minute of processor time for forty files of 2 to 5 s, in one thread: 7 s to decode them, 15 s for the
          prefix, 37 s for 80 steps of 8 clips, 7 s for the test. A longer file costs more to decode and nothing more
          afterwards. The prefix takes 1.2 MB a clip
result:   hums told from chirps in forty short films that are not of the built-in world: test 1.0 of 7 (always the same
          answer: .714), val 1.0 after the first epoch (one run, seed 0). Forty films are few, and these are easy

Eight frames of 6 × 8 patches and eight seconds of sound a clip. The encoders run once over each clip and each text
(clips.prefix): adapters stand behind the last block of each, so that a step costs adapters and readout alone. For
adapters between the blocks too: model.adapted=2 and another clips.prefix; a step then runs the blocks' last quarter.
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
