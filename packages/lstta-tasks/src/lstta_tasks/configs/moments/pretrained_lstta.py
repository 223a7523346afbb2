"""LSTTA on the moments (what is shown and said second by second) with DINOv2-S, Whisper tiny and MiniLM.

command:  lstta train moments/pretrained_lstta     (before it: lstta generate moments --out data/built-in/moments, then
          lstta cache build and lstta cache prefix, both with moments/pretrained_lstta)
offline:  add --cfg-options encoders.visual.model=DIR encoders.audio.model=DIR encoders.language.model=DIR
simple:   add --cfg-options model.readout.guided=False for a readout that fuses nothing, as published adapters have it
time:     about 20 minutes of one core, 4,000 steps of 32 questions
result:   test .988, val .990; with the simple readout .981 to .984; majority answers by type .122 (one run, seed 0, with a
          readout of width 128 and batches of 32, as the studies guided and main have them)

Adapters stand at the last of four stages, behind all blocks, and what the frozen encoders make of clips and texts is
read from a prefix cache. Frames have 4 × 6 patches; Whisper's position table is cut to the clips' 8 s. A linear probe
on the mean of a second's frozen tokens reads 1.000 of what is shown and 1.000 of what is said (studies/probe_moments.py).
The hub's newest revision is taken: pin it with encoders.visual.revision and so on.
"""

from mmengine.config import read_base

with read_base():
    from ..base.pretrained_encoders import *
    from ..base.schedule import *

encoders.visual.update(size=(56, 84))
encoders.audio.update(seconds=8.0)
encoders.language.update(max_length=24)
task = dict(name="avqa", root="data/built-in/moments")
model.update(adapted=1)
model.readout.update(width=128)
method = dict(name="lstta", budget=170_000)
clips = dict(
    segments=8,
    sound_seconds=1.0,
    fit="squash",
    cache="data/cache/moments_pretrained",
    codec="raw",
    prefix="data/cache/moments_pretrained_last",
)
loader = dict(batch_size=32, workers=0)
train_cfg = dict(max_epochs=8, val_interval=1)
