"""A data set in MSR-VTT's files that is made in seconds, and a config for it.

What a caption says can be seen and heard, mostly: ``loud``, ``soft`` or ``silent``, and ``bright`` or ``dark``. A clip
of train and val has two captions. There is no file of val.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import small_world
from small_world import World, write_film, write_json

CLIPS = {"train": 9, "test": 5}
SOUNDS = ("loud", "soft", "silent")

TASK = 'name="retrieval", root={root!r}, embedding=6, val_share=0.4, val_captions=None, rerank=2'
CONFIG = small_world.CONFIG.replace('name="avqa", root={root!r}', TASK)


def make(folder: Path) -> World:
    """Write the data set and a config, and decode the clips."""
    root, cache, config = folder / "data", folder / "cache", folder / "small_msrvtt.py"
    (root / "videos" / "all").mkdir(parents=True)
    sentences, test = [], []
    for split in CLIPS:
        for index, video in enumerate(videos(split)):
            sound, bright = SOUNDS[index % 3], index % 2 == 0
            path = root / "videos" / "all" / f"{video}.mp4"
            # No two films are the same: where they tie, the last bits of a sum would decide.
            write_film(path, loud=sound == "loud", bright=bright, sound=sound != "silent", shade=5 * index)
            caption = f"{sound} and {'bright' if bright else 'dark'} {video}"
            sentences += [{"video_id": video, "caption": text} for text in (caption, f"it is {caption} ")]
            if split == "test":
                test.append((f"ret{index}", f"msr{index}", video, caption))
    write_json(root / "MSRVTT_data.json", {"info": {}, "videos": [], "sentences": sentences})
    write_csv(root / "MSRVTT_train.9k.csv", ["video_id"], [[video] for video in videos("train")])
    write_csv(root / "MSRVTT_JSFUSION_test.csv", ["key", "vid_key", "video_id", "sentence"], test)
    config.write_text(CONFIG.format(root=str(root), cache=str(cache)), encoding="utf-8")

    from lstta_tasks.data.build_cache import build_cache
    from lstta_tasks.experiment.config import load_config
    from lstta_tasks.experiment.parts import Experiment

    experiment = Experiment(load_config(config))
    report = build_cache(cache, experiment.task.sources(), experiment.preprocessing, workers=1)
    assert not report.failed, report.failed
    return World(root, cache, config)


def videos(split: str) -> list[str]:
    """The ids of the films of a file."""
    first = {"train": 0, "test": 7000}[split]
    return [f"video{first + index}" for index in range(CLIPS[split])]


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a CSV file."""
    path.write_text("".join(",".join(row) + "\n" for row in (header, *rows)), encoding="utf-8")
