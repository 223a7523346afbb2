"""LSTTA on what is heard and what is seen in built-in clips, learnt from labels of clips, with the tiny encoders.

command:  lstta train avvp/tiny_lstta     (before it: lstta generate avvp --out data/built-in/avvp, and
          lstta cache build avvp/tiny_lstta)
time:     pending
result:   segment/Type@AV .413, event/Type@AV .351 after 20 epochs at the last two stages (one label: .142, .050); see
          docs/tasks/avvp.md
"""

from mmengine.config import read_base

with read_base():
    from ..base.schedule import *
    from ..base.tiny_encoders import *

task = dict(name="avvp", root="data/built-in/avvp")
encoders.pop("language")
method = dict(name="lstta", width=48, heads=4, latents=4, window=3)
clips = dict(segments=10, sound_seconds=1.0, fit="squash", cache="data/cache/avvp_tiny", codec="raw")
loader = dict(batch_size=32, workers=1)
train_cfg = dict(max_epochs=4, val_interval=1)
