"""Ranks of what belongs to a query, the metrics over them, and what chance would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


def ranks(scores: Scores, own: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The rank of the best of each query's own items, counted from 1.

    A tie counts against the model: whatever has the same score as the own item stands before it, so that a model which
    scores everything alike has the last rank and not a lucky one. Other items of the query's own never stand before.

    Args:
        scores: (Q, N), of N items for each of Q queries.
        own: (Q, N), which items belong to the query; at least one does.

    Returns:
        (Q,).

    Raises:
        ValueError: a score is NaN, or a query has no item of its own.
    """
    if np.isnan(scores).any():
        raise ValueError(f"{np.isnan(scores).any(1).sum()} of {len(scores)} queries have a score that is not a number")
    if not own.any(1).all():
        raise ValueError(f"{(~own.any(1)).sum()} of {len(scores)} queries have no item of their own")
    best = np.where(own, scores, -np.inf).max(1, keepdims=True)
    return 1 + ((scores >= best) & ~own).sum(1)


def top(scores: Scores, count: int) -> NDArray[np.int64]:
    """The items with the highest scores of each query, (Q, min(count, N)); of equals the first."""
    return np.argsort(-scores, axis=1, kind="stable")[:, :count]


def reranked(scores: Scores, items: NDArray[np.int64], second: Scores) -> Scores:
    """Scores in which the items of a second pass come first, in its order, and the others follow in theirs.

    Args:
        scores: (Q, N), of the first pass.
        items: (Q, k), as :func:`top` gives them.
        second: (Q, k), of the second pass. Equal ones stay equal.

    Returns:
        (Q, N), which only say an order.
    """
    result = scores - scores.max(1, keepdims=True)
    for row, (columns, values) in enumerate(zip(items, second, strict=True)):
        result[row, columns] = 1 + np.unique(values, return_inverse=True)[1]
    return result


@dataclass(frozen=True)
class RankMetrics:
    """Metrics of one direction.

    Attributes:
        recall: by K, the share of queries whose rank is at most K.
        median: of the ranks (of two middle ones the mean).
        mean: of the ranks.
    """

    recall: dict[int, float]
    median: float
    mean: float


def measured(reached: NDArray[np.int64], cutoffs: Sequence[int]) -> RankMetrics:
    """The metrics of ranks (Q,), Q ≥ 1."""
    recall = {k: float((reached <= k).mean()) for k in cutoffs}
    return RankMetrics(recall, float(np.median(reached)), float(reached.mean()))


def chance(own: NDArray[np.int64], items: int, cutoffs: Sequence[int]) -> RankMetrics:
    """What a random order of the items gives in expectation; the median is that of all queries' ranks together.

    Args:
        own: (Q,), how many of the items belong to each query.
        items: N.
    """
    counts, weights = np.unique(own, return_counts=True)
    # reached[r]: the probability that a query's rank is at most r, r = 0 … N.
    reached = np.zeros(items + 1)
    for count, weight in zip(counts, weights, strict=True):
        places = np.arange(items + 1)
        missed = np.prod([np.clip(items - places - i, 0, None) / (items - i) for i in range(count)], axis=0)
        reached += weight / len(own) * (1 - missed)
    middle = [int(np.argmax(reached >= 0.5 - 1e-9)), int(np.argmax(reached > 0.5 + 1e-9))]
    recall = {k: float(reached[min(k, items)]) for k in cutoffs}
    return RankMetrics(recall, sum(middle) / 2, float((1 - reached).sum()))
