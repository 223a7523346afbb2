"""LSTTA on CMU-MOSEI: CLIP ViT-B/16, WavLM base+, DeBERTa v3. Never run on the data.

command:  lstta train recipes/mosei --work-dir work_dirs/mosei --amp --cfg-options task.root=FOLDER
offline:  add encoders.visual.model=DIR encoders.audio.model=DIR encoders.language.model=DIR
time:     estimated in docs/recipes.md
result:   never run on the data

Sentiment of one speaker, mostly in the words: DeBERTa is what reads them best among encoders of this size. The raw
route, clips and label.csv, not the features of the SDK (see docs/tasks/sentiment.md).
The hub's newest revision is taken: pin it with encoders.visual.revision and so on.
"""

from mmengine.config import read_base

with read_base():
    from ..base.base_encoders import *
    from ..base.schedule import *

encoders.audio.update(model="microsoft/wavlm-base-plus")
encoders.language.update(model="microsoft/deberta-v3-base", max_length=96)
task = dict(name="sentiment", root="data/mosei")
method = dict(name="lstta", width=64, heads=4, latents=4, window=3)
clips = dict(segments=8, sound_seconds=1.25, fit="squash", cache="data/cache/mosei", codec="jpeg")
loader = dict(batch_size=16, workers=4)
train_cfg = dict(max_epochs=5, val_interval=1)
schedule.update(warmup_steps=500)
