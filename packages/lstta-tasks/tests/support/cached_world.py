"""The small data set with a cache that nothing was decoded for: random frames and sound, so no PyAV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from small_world import CLIPS, CONFIG, World, rows, videos, write_json

from lstta_tasks.data import cache_layout
from lstta_tasks.data.cache_packing import pack
from lstta_tasks.data.cache_writer import CacheWriter
from lstta_tasks.data.clip import Clip, Preprocessing
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment


def make(folder: Path) -> World:
    """Write annotations, a config and a cache. The videos are empty files, which nobody opens."""
    root, cache, config = folder / "data", folder / "cache", folder / "small.py"
    (root / "videos").mkdir(parents=True)
    for split in CLIPS:
        write_json(root / f"avqa-{split}.json", rows(split))
        for video in videos(split):
            (root / "videos" / f"{video}.mp4").touch()
    config.write_text(CONFIG.format(root=str(root), cache=str(cache)), encoding="utf-8")
    experiment = Experiment(load_config(config))
    settings = cache_layout.settings(experiment.preprocessing, "raw")
    with CacheWriter(cache_layout.partial_folder(cache), settings) as writer:
        for number, source in enumerate(experiment.task.sources()):
            writer.add(source.id, pack(source, random_clip(experiment.preprocessing, number), "raw"))
        writer.publish(cache)
    return World(root, cache, config)


def random_clip(preprocessing: Preprocessing, seed: int) -> Clip:
    """A second of noise."""
    random = np.random.default_rng(seed)
    segments, frames, samples = preprocessing.segments, preprocessing.frames_per_segment, preprocessing.sound_samples
    return Clip(
        frames=random.integers(0, 256, (segments, frames, *preprocessing.frame_size, 3), dtype=np.uint8),
        frame_times=np.zeros((segments, frames)),
        sound=random.integers(-8000, 8000, (segments, samples), dtype=np.int16),
        sound_length=np.full(segments, samples, np.int64),
        has_video=True,
        has_sound=True,
        duration=1.0,
    )
