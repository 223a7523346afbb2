"""What two models are compared by, for many draws of samples at once: of classes, of numbers, of lists of labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lstta_tasks.significance.statistics import Measures, Numbers

Places = NDArray[np.int64]


def of_classes(truth: Sequence[str], said: Sequence[str], names: Sequence[str]) -> Measures:
    """Accuracy, macro and weighted F1; of classes that a draw has or that were said in it, as scikit-learn's are."""
    index, classes = {name: place for place, name in enumerate(names)}, len(names)
    true, found = (np.array([index[name] for name in some], np.int64) for some in (truth, said))
    hit = np.where(true == found, true, classes)

    def measures(places: Places) -> dict[str, Numbers]:
        of_true, of_said, right = (_counts(some[places], classes + 1)[:, :classes] for some in (true, found, hit))
        both = of_true + of_said
        f1 = 2 * right / np.maximum(both, 1)
        return {
            "accuracy": right.sum(1) / places.shape[1],
            "macro_f1": f1.sum(1) / (both > 0).sum(1),
            "weighted_f1": (f1 * of_true).sum(1) / places.shape[1],
        }

    return measures


def of_numbers(truth: Sequence[float], said: Sequence[float]) -> Measures:
    """The mean absolute error, which is better where it is lower, and Pearson's correlation, 0 where undefined."""
    t, s = np.asarray(truth, np.float64), np.asarray(said, np.float64)

    def measures(places: Places) -> dict[str, Numbers]:
        a, b = t[places], s[places]
        a_off, b_off = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
        norm = np.sqrt((a_off**2).sum(1) * (b_off**2).sum(1))
        corr = (a_off * b_off).sum(1) / np.where(norm > 0, norm, np.inf)
        return {"mae": np.abs(a - b).mean(1), "corr": corr}

    return measures


def of_labels(truth: Sequence[Sequence[str]], said: Sequence[Sequence[str]]) -> Measures:
    """F1 over all pairs of samples and labels."""
    both = list(zip(map(set, truth), map(set, said), strict=True))
    hit = np.array([len(t & s) for t, s in both], np.float64)
    total = np.array([len(t) + len(s) for t, s in both], np.float64)
    return lambda places: {"F1": 2 * hit[places].sum(1) / np.maximum(total[places].sum(1), 1)}


def _counts(values: Places, kinds: int) -> NDArray[np.int64]:
    """(R, kinds): how often each comes in each row of (R, n)."""
    shifted = values + np.arange(len(values))[:, None] * kinds
    return np.bincount(shifted.ravel(), minlength=len(values) * kinds).reshape(len(values), kinds)
