"""LSTTA on MSR-VTT 1k-A: both encoders of CLIP ViT-B/16, and AST; dual mode. Never run on the data.

command:  lstta train recipes/msrvtt --work-dir work_dirs/msrvtt --amp --cfg-options task.root=FOLDER
offline:  add encoders.visual.model=DIR encoders.audio.model=DIR encoders.language.model=DIR
joint:    add task.joint=True
time:     estimated in docs/recipes.md
result:   never run on the data

Captions and clips of 10 to 32 seconds: twelve segments, and ten seconds of sound for AST. Pictures and captions lie in
one space from the start. Under torchrun each clip is among the clips of all processes: more cards, harder negatives.
The hub's newest revision is taken: pin it with encoders.visual.revision and so on.
"""

from mmengine.config import read_base

with read_base():
    from ..base.base_encoders import *
    from ..base.schedule import *

encoders.language.update(model="openai/clip-vit-base-patch16", max_length=48)
task = dict(name="retrieval", root="data/msrvtt", embedding=512, joint=False, rerank=20)
method = dict(name="lstta", width=64, heads=4, latents=4, window=3)
clips = dict(segments=12, sound_seconds=0.84, fit="crop", cache="data/cache/msrvtt", codec="jpeg")
loader = dict(batch_size=64, workers=8)
train_cfg = dict(max_epochs=5, val_interval=1)
schedule.update(warmup_steps=500)
