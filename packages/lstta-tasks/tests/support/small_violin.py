"""A data set in VIOLIN's files that is made in seconds, and a config with the tiny encoders for it.

One clip is silent, one statement is empty, and segments have no, one or two subtitles. Every sample has a row of 16 to
23 words: a CPU adds 8 or 16 numbers at a time, so attention over any batch adds in the same order, whether it is padded
to the longest row of the batch or to the longest of all.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from small_world import World, write_film, write_json

from lstta_tasks.data.build_cache import build_cache
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment

WELCOME = "welcome to our concert in the hall of the old town where many instruments are heard"
SUBTITLES: list[list[list[Any]]] = [
    [[WELCOME, [0, 380]], ["now", [390, 790]], ["listen to the flute, please", [610, 1000]]],
    [[WELCOME, [100, 180]]],
]
SPLITS = {"train": 5, "validate": 3, "test": 3}

CONFIG = """
from mmengine.optim import LinearLR
from torch.optim import AdamW

seed = 0
log_interval = 2
task = dict(name="inference", root={root!r})
encoders = dict(visual=dict(name="tiny-visual"), audio=dict(name="tiny-audio"), language=dict(name="tiny-language"))
method = dict(name="lstta", width=8, heads=2, latents=2, window=3, dropout=0.1)
model = dict(stages=4, adapted=2, readout=dict(width=12, heads=2, dropout=0.1))
clips = dict(segments=5, sound_seconds=0.25, fit="squash", cache={cache!r}, codec="raw")
loader = dict(batch_size=7, workers=0)
optim_wrapper = dict(optimizer=dict(type=AdamW, lr=2e-2, weight_decay=0.01), clip_grad=dict(max_norm=1.0))
train_cfg = dict(max_epochs=2, val_interval=1)
param_scheduler = [dict(type=LinearLR, start_factor=0.1, by_epoch=True, begin=0, end=1, convert_to_iter_based=True)]
"""


def make(folder: Path) -> World:
    """Write the data set and a config, and decode the clips."""
    root, cache, config = folder / "data", folder / "cache", folder / "small_violin.py"
    (root / "videos").mkdir(parents=True)
    entries = {}
    for split, count in SPLITS.items():
        for number in range(count):
            name = f"{split}{number}"
            write_film(root / "videos" / f"{name}.mp4", sound=number != 1, bright=number % 2 == 0, shade=5 * number)
            entries[name] = {
                "file": name,
                "source": name,
                "span": [0, 1],
                "statement": [
                    ["the flute is heard", f"the piano is heard {number} times"],
                    ["it is bright" if number != 1 else "", "it is dark"],
                ],
                "sub": SUBTITLES[number % len(SUBTITLES)],
                "split": split,
            }
    write_json(root / "violin_annotation.json", entries)
    config.write_text(CONFIG.format(root=str(root), cache=str(cache)), encoding="utf-8")
    experiment = Experiment(load_config(config))
    report = build_cache(cache, experiment.task.sources(), experiment.preprocessing, workers=1)
    assert not report.failed, report.failed
    return World(root, cache, config)
