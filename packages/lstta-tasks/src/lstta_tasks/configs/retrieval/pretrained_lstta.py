"""LSTTA on MSR-VTT 1k-A with three pretrained encoders: DINOv2-S, Whisper tiny and MiniLM; dual mode.

command:  lstta train retrieval/pretrained_lstta --cfg-options task.root=FOLDER
offline:  add encoders.visual.model=DIR encoders.audio.model=DIR encoders.language.model=DIR
joint:    add task.joint=True
time:     pending
result:   pending

Clips of MSR-VTT last 10 to 32 seconds: twelve segments, of which up to 2.5 seconds of sound are heard. The hub's newest
revision is taken: pin it with encoders.visual.revision and so on.
"""

from mmengine.config import read_base

with read_base():
    from ..base.pretrained_encoders import *
    from ..base.schedule import *

encoders.visual.update(size=(224, 224))
encoders.audio.update(seconds=30.0)
encoders.language.update(max_length=32)
task = dict(name="retrieval", root="data/msrvtt", embedding=256, joint=False, rerank=20)
method = dict(name="lstta", width=64, heads=4, latents=4, window=3)
clips = dict(segments=12, sound_seconds=2.5, fit="crop", cache="data/cache/msrvtt_pretrained", codec="jpeg")
loader = dict(batch_size=64, workers=4)
train_cfg = dict(max_epochs=5, val_interval=1)
schedule.update(warmup_steps=500)
