"""LSTTA on the built-in questions of avqa, answered in words by the tiny speaker.

command:  lstta train open-qa/tiny_lstta --work-dir work_dirs/open-qa
          before it: lstta generate avqa --out data/built-in/avqa --train 900 --val 60 --test 200
          and:       lstta cache build open-qa/tiny_lstta
time:     pending
result:   .501 of 1,200 questions in a short run (300 clips, five epochs), the most frequent answers .325; see
          docs/tasks/open-qa.md
"""

from mmengine.config import read_base

with read_base():
    from ..base.schedule import *
    from ..base.tiny_encoders import *

encoders.update(language=dict(name="tiny-speaker"))
model.pop("readout")
task = dict(name="open-qa", root="data/built-in/avqa")
method = dict(name="lstta", width=48, heads=4, latents=4, window=3)
clips = dict(segments=8, sound_seconds=1.0, fit="squash", cache="data/cache/avqa_tiny", codec="raw")
loader = dict(batch_size=32, workers=1)
train_cfg = dict(max_epochs=4, val_interval=1)
