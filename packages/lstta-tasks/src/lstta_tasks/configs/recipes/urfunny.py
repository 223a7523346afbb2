"""LSTTA on UR-FUNNY V2: CLIP ViT-B/16, WavLM base+, RoBERTa. Never run on the data.

command:  lstta train recipes/urfunny --work-dir work_dirs/urfunny --amp --cfg-options task.root=FOLDER
offline:  add encoders.visual.model=DIR encoders.audio.model=DIR encoders.language.model=DIR
time:     estimated in docs/recipes.md
result:   never run on the data

Whether a punchline of a talk is funny, after the sentences before it: sixteen segments of up to half a minute.
The hub's newest revision is taken: pin it with encoders.visual.revision and so on.
"""

from mmengine.config import read_base

with read_base():
    from ..base.base_encoders import *
    from ..base.schedule import *

encoders.audio.update(model="microsoft/wavlm-base-plus")
encoders.language.update(max_length=192)
task = dict(name="humor", root="data/urfunny")
method = dict(name="lstta", width=64, heads=4, latents=4, window=3)
clips = dict(segments=16, sound_seconds=1.875, fit="squash", cache="data/cache/urfunny", codec="jpeg")
loader = dict(batch_size=16, workers=4)
train_cfg = dict(max_epochs=5, val_interval=1)
schedule.update(warmup_steps=200)
