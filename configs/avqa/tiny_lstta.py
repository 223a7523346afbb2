"""LSTTA on the built-in clips with the tiny encoders.

command:  tools/train.py configs/avqa/tiny_lstta.py
"""

from mmengine.config import read_base

with read_base():
    from ..base.schedule import *

task = dict(name="avqa", root="data/built-in/avqa")
encoders = dict(
    visual=dict(name="tiny-visual"),
    audio=dict(name="tiny-audio"),
    language=dict(name="tiny-language"),
)
method = dict(name="lstta", width=48, heads=4, latents=4, window=3)
model = dict(stages=4, readout=dict(width=128, heads=4))
clips = dict(segments=8, sound_seconds=1.0, fit="squash", cache="data/cache/avqa_tiny", codec="raw")
loader = dict(batch_size=32, workers=1)
