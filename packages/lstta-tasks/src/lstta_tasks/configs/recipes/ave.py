"""LSTTA on AVE: CLIP ViT-B/16 and AST. Never run on the data.

command:  lstta train recipes/ave --work-dir work_dirs/ave --amp --cfg-options task.root=FOLDER
offline:  add encoders.visual.model=DIR encoders.audio.model=DIR
time:     estimated in docs/recipes.md
result:   never run on the data

The event of each of ten seconds, or background: a frame and a second of sound a segment, so that AST hears ten seconds.
There are no words, so the language encoder is left out.
The hub's newest revision is taken: pin it with encoders.visual.revision and so on.
"""

from mmengine.config import read_base

with read_base():
    from ..base.base_encoders import *
    from ..base.schedule import *

encoders.pop("language")
task = dict(name="ave", root="data/ave")
method = dict(name="lstta", width=64, heads=4, latents=4, window=3)
clips = dict(segments=10, sound_seconds=1.0, fit="squash", cache="data/cache/ave", codec="jpeg")
loader = dict(batch_size=16, workers=4)
train_cfg = dict(max_epochs=7, val_interval=1)
schedule.update(warmup_steps=100)
