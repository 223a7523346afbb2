"""A data set and its cache, small enough to be carried: a few built-in clips, and no videos any more."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from mmengine.config import Config

MOST_BYTES = 10_000_000
CONFIG = Path(__file__).with_name("avqa.py")
VALIDATION = 2  # clips; one more is in test


def config(folder: Path, encoders: str, options: dict[str, Any] | None = None) -> Config:
    """The config of the loader's row, for a prepared folder and encoders of a size."""
    from lstta_tasks.experiment.config import load_config

    paths = {"task.root": str(folder / "avqa"), "clips.cache": str(folder / "cache")}
    sizes = {f"encoders.{m}.size": encoders for m in ("visual", "audio", "language")}
    return load_config(CONFIG, {**paths, **sizes, **(options or {})})


def prepare(folder: Path, clips: int) -> int:
    """Generate clips with questions, decode them into a cache, and remove the videos.

    Args:
        folder: to be made; it gets ``avqa`` with the annotations and ``cache``.
        clips: of the training split.

    Returns:
        The size in bytes of all that is in it.

    Raises:
        ValueError: the folder is there already, or what came out is too large to be carried.
    """
    from lstta_tasks.data.build_cache import build_cache
    from lstta_tasks.experiment.parts import Experiment
    from lstta_world.generate import generate

    if folder.exists():
        raise ValueError(f"{folder} is there already: pass another folder, or remove it")
    generate("avqa", folder / "avqa", train=clips, val=VALIDATION, test=1)
    # The tiny encoders ask for the same frames and sound as those of base size.
    experiment = Experiment(config(folder, "tiny"))
    report = build_cache(folder / "cache", experiment.task.sources(), experiment.preprocessing, codec="jpeg")
    if report.failed:
        raise ValueError(f"clips cannot be decoded: {report.failed}")
    shutil.rmtree(folder / "avqa" / "videos")
    size = bytes_in(folder)
    if size > MOST_BYTES:
        raise ValueError(f"{folder} has {size:,} bytes, more than {MOST_BYTES:,}: take fewer clips than {clips}")
    return size


def bytes_in(folder: Path) -> int:
    """Of all files in a folder and the folders in it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
