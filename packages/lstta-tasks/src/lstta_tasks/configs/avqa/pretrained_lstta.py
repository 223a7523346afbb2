"""LSTTA on the built-in clips with three pretrained encoders: DINOv2-S, Whisper tiny and MiniLM.

command:  lstta train avqa/pretrained_lstta
offline:  add --cfg-options encoders.visual.model=DIR encoders.audio.model=DIR encoders.language.model=DIR
time:     2 s of processor time a step of 8 questions, on one core
result:   of version 0.1, whose adapters and rate were others:
          400 steps on 400 clips (task.root with lstta generate's --train 400 --val 60 --test 100): training loss 3.1 in
          the first ten, 1.3 in the last thirty; val .417; test .394, where majority answers by type reach .331 (one
          run, seed 0)

Made for two cores: frames of 4 × 6 patches, sound with Whisper's position table cut to the clips' 8 s, and adapters at
the last two of four stages. The hub's newest revision is taken: pin it with encoders.visual.revision and so on.
"""

from mmengine.config import read_base

with read_base():
    from ..base.pretrained_encoders import *
    from ..base.schedule import *

encoders.visual.update(size=(56, 84))
encoders.audio.update(seconds=8.0)
encoders.language.update(max_length=32)
task = dict(name="avqa", root="data/built-in/avqa")
method = dict(name="lstta", width=48, heads=4, latents=4, window=3)
model.readout.update(width=128)
clips = dict(segments=8, sound_seconds=1.0, fit="squash", cache="data/cache/avqa_pretrained", codec="raw")
loader = dict(batch_size=8, workers=1)
train_cfg = dict(max_epochs=1, val_interval=1)
