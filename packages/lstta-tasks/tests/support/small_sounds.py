"""Data sets of three short sound files, whose loudness tells them apart, and caches of them."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from lstta_tasks.data.build_cache import build_cache
from lstta_tasks.data.clip import ClipSource, Preprocessing
from lstta_tasks.task import Sample

SETTINGS = Preprocessing(segments=2, frames_per_segment=1, frame_size=(5, 7), sample_rate=1_100, sound_seconds=0.5)
IDS = ("clips/a.wav", "clips/b.wav", "clips/c.wav")


def write(path: Path, loudness: int) -> None:
    """A second of sound; files of any loudness have the same size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 1_100, 0, "NONE", ""))
        file.writeframes((loudness * np.sin(np.arange(1_100))).astype("<i2").tobytes())


def data(root: Path, first: int = 1_000) -> Path:
    """A data set of three files, which it names by their paths from its folder."""
    for number, name in enumerate(IDS):
        write(root / name, first + 1_000 * number)
    return root


def sources(root: Path, end: float | None = None) -> list[ClipSource]:
    return [ClipSource(name, sound=root / name, end=end) for name in IDS]


def samples(root: Path, end: float | None = None) -> list[Sample]:
    return [Sample(id=source.id, source=source, text=None, target=0) for source in sources(root, end)]


def build(path: Path, root: Path) -> Path:
    assert build_cache(path, sources(root), SETTINGS, workers=1).failed == {}
    return path
