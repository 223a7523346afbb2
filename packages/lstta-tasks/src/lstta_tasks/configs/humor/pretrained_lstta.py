"""LSTTA on UR-FUNNY's files with three pretrained encoders: DINOv2-S, Whisper tiny and MiniLM.

command:  lstta train humor/pretrained_lstta --work-dir work_dirs/urfunny --cfg-options task.root=FOLDER
offline:  add encoders.visual.model=DIR encoders.audio.model=DIR encoders.language.model=DIR
time:     pending
result:   pending

Sixteen segments of a clip of up to half a minute.
The hub's newest revision is taken: pin it with encoders.visual.revision and so on.
"""

from mmengine.config import read_base

with read_base():
    from ..base.pretrained_encoders import *
    from ..base.schedule import *

encoders.audio.update(seconds=30.0)
encoders.language.update(max_length=192)
task = dict(name="humor", root="data/urfunny")
method = dict(name="lstta", width=64, heads=4, latents=4, window=3)
clips = dict(segments=16, sound_seconds=1.875, fit="squash", cache="data/cache/urfunny_pretrained", codec="jpeg")
loader = dict(batch_size=16, workers=2)
train_cfg = dict(max_epochs=5, val_interval=1)
schedule.update(warmup_steps=100)
