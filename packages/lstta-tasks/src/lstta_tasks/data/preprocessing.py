"""Preprocessing read back from JSON, compared, and what it keeps of a sound; its settings are in ``clip``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstta_tasks.data.clip import Preprocessing


@dataclass(frozen=True)
class PreprocessingRecord:
    """A :class:`~lstta_tasks.data.clip.Preprocessing` as JSON has it."""

    segments: int
    frame_size: tuple[int, int]
    sample_rate: int
    sound_seconds: float
    frames_per_segment: int = 1
    fit: str = "crop"


def preprocessing_from(settings: Mapping[str, Any]) -> Preprocessing:
    """The inverse of :func:`dataclasses.asdict`, also after a way through JSON.

    Raises:
        ValueError: a setting is missing or unknown.
    """
    names = {field.name for field in fields(Preprocessing)}
    if unknown := sorted(set(settings) - names):
        raise ValueError(f"unknown preprocessing settings {unknown}; there are {sorted(names)}")
    try:
        return Preprocessing(**settings)
    except TypeError as error:
        raise ValueError(f"preprocessing settings {dict(settings)} are incomplete: {error}") from error


def differences(here: Preprocessing, there: Preprocessing) -> list[str]:
    """One line a setting that differs: its name, the value here, the value there."""
    return [
        f"{field.name}: {getattr(here, field.name)!r} here, {getattr(there, field.name)!r} there"
        for field in fields(here)
        if getattr(here, field.name) != getattr(there, field.name)
    ]


def sound_spans(preprocessing: Preprocessing, duration: float) -> list[tuple[int, int]]:
    """What is kept of a clip's sound: (first sample, number of samples) of each segment.

    All of a short segment, the middle of a long one. ``duration`` is the clip's, in seconds.
    """
    edges: NDArray[np.float64] = np.linspace(0, duration * preprocessing.sample_rate, preprocessing.segments + 1)
    spans = []
    for begin, end in zip(edges[:-1].round().astype(int), edges[1:].round().astype(int), strict=True):
        count = min(int(end - begin), preprocessing.sound_samples)
        spans.append((int(begin) + (int(end - begin) - count) // 2, count))
    return spans
