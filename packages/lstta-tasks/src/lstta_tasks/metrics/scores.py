"""Metrics of numbers on a scale, such as sentiment in [−3, 3]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Half = Literal["even", "away"]
Numbers = Sequence[float] | NDArray[Any]


def mean_absolute_error(truth: Numbers, found: Numbers) -> float:
    """Mean of |found − truth|. Raises a ValueError for NaN, infinity, or lists of different lengths."""
    t, f = _checked(truth, found)
    return float(np.abs(f - t).mean())


def pearson(truth: Numbers, found: Numbers) -> float:
    """Pearson's correlation; 0 where either is constant, as one sample is, and it is undefined (our choice).

    Raises:
        ValueError: NaN, infinity, or lists of different lengths.
    """
    t, f = _checked(truth, found)
    if t.min() == t.max() or f.min() == f.max():
        return 0.0
    t, f = t - t.mean(), f - f.mean()
    return float(np.clip((t / np.linalg.norm(t)) @ (f / np.linalg.norm(f)), -1, 1))


def to_classes(values: Numbers, bound: int, half: Half) -> list[int]:
    """Each value, clipped to ±bound, as the nearest whole number: 2 · bound + 1 classes.

    Args:
        values: on the scale.
        bound: 3 for Acc-7, 2 for Acc-5.
        half: where a half goes: to the ``"even"`` neighbour, as numpy rounds and MMSA with it, or ``"away"`` from
            zero, as CMU's SDK.
    """
    clipped = np.clip(np.asarray(values, np.float64), -bound, bound)
    if half == "even":
        return [int(value) for value in np.round(clipped)]
    whole = np.trunc(clipped)
    return [int(value) for value in whole + np.sign(clipped) * (np.abs(clipped - whole) >= 0.5)]


def _checked(truth: Numbers, found: Numbers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    t, f = np.asarray(truth, np.float64), np.asarray(found, np.float64)
    if t.shape != f.shape or t.ndim != 1 or not t.size:
        raise ValueError(f"as many numbers as samples are wanted, at least one: got {f.shape} for {t.shape}")
    for values, name in ((t, "truth"), (f, "predictions")):
        if not np.isfinite(values).all():
            place = int(np.flatnonzero(~np.isfinite(values))[0])
            raise ValueError(f"{name}: number {place} is {values[place]}, which no metric is defined for")
    return t, f
