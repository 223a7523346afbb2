"""Whether segments that matter get the higher numbers, within each clip."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstta_tasks.importances.relevance_file import Spans, covered

LEAST = 0.1  # seconds of a segment that must matter for the segment to matter
RESAMPLED = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Mean:
    """A mean over samples, and its interval of confidence :data:`LEVEL`, None and None for a single clip's."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Agreement:
    """How numbers of segments agree with known seconds, in the mean of the samples that have segments of both kinds.

    Attributes:
        relevant: the mean number of segments that matter, as a multiple of the mean of all of the clip.
        rest: that of the others.
        auroc: how often, of a segment that matters and another of its clip, the first has the higher number; ½ by
            chance.
        samples: how many these are.
        clips: how many clips they are about.
    """

    relevant: Mean
    rest: Mean
    auroc: Mean
    samples: int
    clips: int


def relevant_segments(spans: Spans, *, duration: float, segments: int) -> NDArray[np.bool_]:
    """(T,): the segments of which at least :data:`LEAST` seconds lie in the spans."""
    edges = [duration * edge / segments for edge in range(segments + 1)]
    return np.array([covered(spans, edges[t], edges[t + 1]) >= LEAST for t in range(segments)])


def tells_apart(relevant: NDArray[np.bool_]) -> bool:
    """Whether some segments matter and others do not."""
    return bool(relevant.any() and not relevant.all())


def multiples(numbers: NDArray[np.floating]) -> NDArray[np.float64]:
    """The numbers as multiples of their mean; ones where all are zero."""
    precise = numbers.astype(np.float64)
    return precise / precise.mean() if precise.any() else np.ones_like(precise)


def auroc(numbers: NDArray[np.floating], relevant: NDArray[np.bool_]) -> float:
    """The share of pairs of a relevant and another segment in which the relevant one is higher; ties count half."""
    differences = numbers[relevant][:, None] - numbers[~relevant]
    return float(np.mean((np.sign(differences) + 1) / 2))


def agreement(
    numbers: Sequence[NDArray[np.floating]], relevant: Sequence[NDArray[np.bool_]], clips: Sequence[Hashable]
) -> Agreement | None:
    """Compare some samples' numbers with what is known of them.

    Args:
        numbers: (T,) of each sample, not negative.
        relevant: (T,) of each.
        clips: that each is about. Samples of one clip depend on each other, so the bootstrap draws whole clips.

    Returns:
        None if no sample has segments of both kinds.
    """
    rows, groups = [], []
    for values, matters, clip in zip(numbers, relevant, clips, strict=True):
        if tells_apart(matters):
            shares = multiples(values)
            rows.append((shares[matters].mean(), shares[~matters].mean(), auroc(values, matters)))
            groups.append(clip)
    if not rows:
        return None
    return Agreement(*_means(np.array(rows), groups), samples=len(rows), clips=len(set(groups)))


def _means(rows: NDArray[np.float64], groups: Sequence[Hashable]) -> tuple[Mean, Mean, Mean]:
    """Of the three columns, with intervals from a bootstrap over groups, if there are several."""
    if len(set(groups)) < 2:
        first, second, third = (Mean(float(value), None, None) for value in rows.mean(0))
        return first, second, third
    places = {group: i for i, group in enumerate(dict.fromkeys(groups))}
    member = np.array([places[group] for group in groups])
    totals = np.stack([np.bincount(member, column) for column in rows.T], axis=1)
    sizes = np.bincount(member)
    drawn = np.random.default_rng(0).integers(len(sizes), size=(RESAMPLED, len(sizes)))
    means = totals[drawn].sum(1) / sizes[drawn].sum(1)[:, None]
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    first, second, third = (Mean(*map(float, row)) for row in zip(rows.mean(0), low, high, strict=True))
    return first, second, third
