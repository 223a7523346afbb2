"""LSTTA on VIOLIN: CLIP ViT-B/16, Whisper small, RoBERTa. Never run on the data.

command:  lstta train recipes/violin --work-dir work_dirs/violin --amp --cfg-options task.root=FOLDER
offline:  add encoders.visual.model=DIR encoders.audio.model=DIR encoders.language.model=DIR
time:     estimated in docs/recipes.md
result:   never run on the data

Statements about half a minute of film with subtitles: sixteen segments, each with its own row of words (the statement
and what is said then), so RoBERTa reads sixteen rows a statement. Whisper hears speech behind music and noise.
The hub's newest revision is taken: pin it with encoders.visual.revision and so on.
"""

from mmengine.config import read_base

with read_base():
    from ..base.base_encoders import *
    from ..base.schedule import *

encoders.audio.update(model="openai/whisper-small")
encoders.language.update(max_length=96)
task = dict(name="inference", root="data/violin")
method = dict(name="lstta", width=64, heads=4, latents=4, window=3)
clips = dict(segments=16, sound_seconds=1.875, fit="squash", cache="data/cache/violin", codec="jpeg")
loader = dict(batch_size=8, workers=4)
train_cfg = dict(max_epochs=5, val_interval=1)
schedule.update(warmup_steps=500)
