"""LSTTA on MELD: CLIP ViT-B/16, WavLM base+, RoBERTa. Never run on the data.

command:  lstta train recipes/meld --work-dir work_dirs/meld --amp --cfg-options task.root=FOLDER
offline:  add encoders.visual.model=DIR encoders.audio.model=DIR encoders.language.model=DIR
time:     estimated in docs/recipes.md
result:   never run on the data

Emotions of utterances of a few seconds: eight segments, and the five utterances before. How something is said is what
WavLM was trained for, more than AST. Classes are rare: see loader.sampling in docs/configs.md.
The hub's newest revision is taken: pin it with encoders.visual.revision and so on.
"""

from mmengine.config import read_base

with read_base():
    from ..base.base_encoders import *
    from ..base.schedule import *

encoders.audio.update(model="microsoft/wavlm-base-plus")
encoders.language.update(max_length=128)
task = dict(name="emotion", root="data/meld", context=5)
method = dict(name="lstta", width=64, heads=4, latents=4, window=3)
clips = dict(segments=8, sound_seconds=1.0, fit="squash", cache="data/cache/meld", codec="jpeg")
loader = dict(batch_size=16, workers=4)
train_cfg = dict(max_epochs=5, val_interval=1)
schedule.update(warmup_steps=200)
