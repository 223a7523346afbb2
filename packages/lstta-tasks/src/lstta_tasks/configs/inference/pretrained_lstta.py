"""LSTTA on VIOLIN's files with three pretrained encoders: DINOv2-S, Whisper tiny and MiniLM.

command:  lstta train inference/pretrained_lstta --cfg-options task.root=FOLDER
offline:  add encoders.visual.model=DIR encoders.audio.model=DIR encoders.language.model=DIR
time:     not measured
result:   not measured

Sixteen segments of a clip of half a minute. Each segment has a row of words of its own, the statement and its
subtitles: the language encoder reads sixteen rows a statement. The hub's newest revision is taken: pin it with
encoders.visual.revision and so on.
"""

from mmengine.config import read_base

with read_base():
    from ..base.pretrained_encoders import *
    from ..base.schedule import *

encoders.audio.update(seconds=30.0)
encoders.language.update(max_length=96)
task = dict(name="inference", root="data/violin")
method = dict(name="lstta", width=64, heads=4, latents=4, window=3)
clips = dict(segments=16, sound_seconds=1.875, fit="squash", cache="data/cache/violin_pretrained", codec="jpeg")
loader = dict(batch_size=8, workers=2)
train_cfg = dict(max_epochs=5, val_interval=1)
schedule.update(warmup_steps=500)
