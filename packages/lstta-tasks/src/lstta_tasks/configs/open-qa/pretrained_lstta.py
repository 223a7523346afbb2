"""LSTTA on MUSIC-AVQA answered in words by three pretrained encoders: DINOv2-S, Whisper tiny and Qwen 2.5 of 0.5 B.

command:  lstta train open-qa/pretrained_lstta --cfg-options task.root=FOLDER
          AVSD's dialogues: add task.length=32 clips.cache=data/cache/avsd_pretrained
offline:  add encoders.visual.model=DIR encoders.audio.model=DIR encoders.language.model=DIR
time:     pending
result:   pending

Clips of MUSIC-AVQA last a minute, those of AVSD half of one: twelve segments, of which up to 2.5 seconds of sound are
heard. The hub's newest revision is taken: pin it with encoders.visual.revision and so on. Weights in half precision fit
one GPU with 16 GB.
"""

from mmengine.config import read_base

with read_base():
    from ..base.pretrained_encoders import *
    from ..base.schedule import *

encoders.visual.update(size=(224, 224))
encoders.audio.update(seconds=30.0)
encoders.update(language=dict(name="hf-speaker", model="Qwen/Qwen2.5-0.5B-Instruct", max_length=128))
model = dict(stages=4, adapted=4, frozen_dtype="bfloat16")
task = dict(name="open-qa", root="data/music-avqa", length=8)
method = dict(name="lstta", width=64, heads=4, latents=4, window=3)
clips = dict(segments=12, sound_seconds=2.5, fit="crop", cache="data/cache/avqa_words_pretrained", codec="jpeg")
loader = dict(batch_size=16, workers=4)
train_cfg = dict(max_epochs=3, val_interval=1)
schedule.update(warmup_steps=500)
