"""F-scores of events in segments, as audio-visual video parsing has them (Tian et al., ECCV 2020).

Of each clip and each label that is there or was said: 2 tp / (2 tp + fp + fn). A clip's F is the mean over those
labels, and 1 where there is none: silence was told. A split's F is the mean over its clips. By *segment* a hit is a
segment; by *event*, a run of neighbouring segments that overlaps a true one, tIoU of one half or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

TYPES = ("audio", "visual", "audio-visual")
NAMES = tuple(f"{level}/{name}" for level in ("segment", "event") for name in (*TYPES, "Type@AV", "Event@AV"))
OVERLAP = 0.5
Mask = NDArray[np.bool_]
Scores = NDArray[np.float64]


def event_scores(said: Mask, true: Mask) -> Scores:
    """The F of each clip by each of :data:`NAMES`, (n, 10).

    ``Type@AV`` is the mean of the three types'; ``Event@AV`` has the hits of sound and of sight added up by label.

    Args:
        said: (n, 2, L, T), what was said to be heard, and seen, in each segment.
        true: likewise.
    """
    columns = []
    for count in (_segments, _events):
        hits = count(_with_both(said), _with_both(true))  # (3, n, 3, L): tp, fp, fn
        types = _clip_f(hits).T  # by type, (3, n)
        together = _clip_f(hits[:, :, :1] + hits[:, :, 1:2]).T
        columns += [*types, types.mean(0), *together]
    return np.stack(columns, 1)


def _with_both(mask: Mask) -> Mask:
    """(n, 3, L, T): sound, sight, and where both have the label."""
    return np.concatenate([mask, mask.all(1, keepdims=True)], 1)


def _segments(said: Mask, true: Mask) -> NDArray[np.int64]:
    return np.stack([(said & true).sum(-1), (said & ~true).sum(-1), (true & ~said).sum(-1)])


def _events(said: Mask, true: Mask) -> NDArray[np.int64]:
    counts = np.zeros((3, *said.shape[:-1]), np.int64)
    for place in zip(*np.nonzero((said | true).any(-1)), strict=True):
        found, wanted = spans(said[place]), spans(true[place])
        hits = sum(any(_overlap(one, other) for other in wanted) for one in found)
        missed = sum(not any(_overlap(one, other) for other in found) for one in wanted)
        counts[:, *place] = hits, len(found) - hits, missed
    return counts


def _clip_f(hits: NDArray[np.int64]) -> Scores:
    """(n, k) of tp, fp and fn (3, n, k, L)."""
    tp, fp, fn = hits
    total = 2 * tp + fp + fn
    there = (total > 0).sum(-1)
    f = (2 * tp / np.maximum(total, 1)).sum(-1) / np.maximum(there, 1)
    return np.where(there > 0, f, 1.0)


def spans(row: Sequence[bool] | Mask) -> list[tuple[int, int]]:
    """Where a label is on in neighbouring segments (T,): the first of them and the one behind the last."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], row, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in list(pairwise(ends))[::2]]


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    both = max(0, min(one[1], other[1]) - max(one[0], other[0]))
    return both >= OVERLAP * (one[1] - one[0] + other[1] - other[0] - both)
