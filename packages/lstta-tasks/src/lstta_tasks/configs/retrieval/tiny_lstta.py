"""LSTTA on captions of the built-in clips, with the tiny encoders; dual mode.

command:  lstta train retrieval/tiny_lstta --work-dir work_dirs/retrieval
          before it: lstta generate retrieval --out data/built-in/retrieval --train 800 --val 128 --test 256
          and:       lstta cache build retrieval/tiny_lstta
joint:    add --cfg-options task.joint=True
time:     360 s of processor time on one core, 625 steps of 32 captions, with the tests of val
result:   of version 0.1, whose adapters and rate were others:
          text to video R@1 .914 on val (of 128), .582 on test (of 256), where chance has .008 and .004 (one run,
          seed 0)
"""

from mmengine.config import read_base

with read_base():
    from ..base.schedule import *
    from ..base.tiny_encoders import *

task = dict(name="retrieval", root="data/built-in/retrieval", embedding=128, joint=False, rerank=10)
method = dict(name="lstta", width=48, heads=4, latents=4, window=3)
clips = dict(segments=8, sound_seconds=1.0, fit="squash", cache="data/cache/retrieval_tiny", codec="raw")
loader = dict(batch_size=32, workers=1)
train_cfg = dict(max_epochs=5, val_interval=1)
