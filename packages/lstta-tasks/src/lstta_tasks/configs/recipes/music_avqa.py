"""LSTTA on MUSIC-AVQA: CLIP ViT-B/16, AST, RoBERTa. Never run on the data.

command:  lstta train recipes/music_avqa --work-dir work_dirs/music_avqa --amp --cfg-options task.root=FOLDER
offline:  add encoders.visual.model=DIR encoders.audio.model=DIR encoders.language.model=DIR
time:     estimated in docs/recipes.md
result:   never run on the data

Questions about a minute of music: ten segments, of each a frame and a second of sound, so that AST hears ten seconds.
Instruments and where they stand are what CLIP and AST were trained on; the question is a short sentence.
The hub's newest revision is taken: pin it with encoders.visual.revision and so on.
"""

from mmengine.config import read_base

with read_base():
    from ..base.base_encoders import *
    from ..base.schedule import *

encoders.language.update(max_length=32)
task = dict(name="avqa", root="data/music-avqa")
method = dict(name="lstta", width=64, heads=4, latents=4, window=3)
clips = dict(segments=10, sound_seconds=1.0, fit="crop", cache="data/cache/music_avqa", codec="jpeg")
loader = dict(batch_size=16, workers=4)
train_cfg = dict(max_epochs=7, val_interval=1)
schedule.update(warmup_steps=500)
