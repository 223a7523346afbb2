"""LSTTA on the moments (what is shown and said second by second) with the tiny encoders.

command:  lstta train moments/tiny_lstta     (before it: lstta generate moments --out data/built-in/moments, and
          lstta cache build moments/tiny_lstta)
time:     pending
result:   pending; the tiny encoders never heard a spoken word. Majority answers by type reach .122
"""

from mmengine.config import read_base

with read_base():
    from ..base.schedule import *
    from ..base.tiny_encoders import *

task = dict(name="avqa", root="data/built-in/moments")
method = dict(name="lstta", width=48, heads=4, latents=4, window=3)
clips = dict(segments=8, sound_seconds=1.0, fit="squash", cache="data/cache/moments_tiny", codec="raw")
loader = dict(batch_size=32, workers=1)
train_cfg = dict(max_epochs=4, val_interval=1)
