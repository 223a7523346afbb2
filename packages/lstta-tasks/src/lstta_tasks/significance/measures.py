"""What two models are compared by, for many draws of samples at once: of classes, of numbers, of lists of labels, and
of what is said of segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstta_tasks.answers.event_scores import NAMES, event_scores
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


def of_segments(truth: Sequence[Any], said: Sequence[Any]) -> Measures:
    """Accuracy over the segments that have a class and were answered; clips are drawn, with all of theirs."""
    pairs = [list(zip(t["segments"], s["segments"], strict=True)) for t, s in zip(truth, said, strict=True)]
    counted = [[(t, s) for t, s in some if t is not None and s is not None] for some in pairs]
    hit = np.array([sum(t == s for t, s in some) for some in counted], np.float64)
    total = np.array([len(some) for some in counted], np.float64)
    return lambda places: {"accuracy": hit[places].sum(1) / np.maximum(total[places].sum(1), 1)}


def of_events(truth: Sequence[Any], said: Sequence[Any]) -> Measures:
    """The F-scores of :mod:`~lstta_tasks.answers.event_scores`."""
    spans = [[*one["audio"], *one["visual"]] for one in (*truth, *said)]
    labels = sorted({label for some in spans for label, *_ in some}) or [""]
    length = max((end for some in spans for *_, end in some), default=1)

    def mask(one: Any) -> NDArray[np.bool_]:
        on = np.zeros((2, len(labels), length), np.bool_)
        for place, side in enumerate(("audio", "visual")):
            for label, start, end in one[side]:
                on[place, labels.index(label), start:end] = True
        return on

    scores = event_scores(np.stack([mask(one) for one in said]), np.stack([mask(one) for one in truth]))
    return lambda places: {name: column[places].mean(1) for name, column in zip(NAMES, scores.T, strict=True)}


def _counts(values: Places, kinds: int) -> NDArray[np.int64]:
    """(R, kinds): how often each comes in each row of (R, n)."""
    shifted = values + np.arange(len(values))[:, None] * kinds
    return np.bincount(shifted.ravel(), minlength=len(values) * kinds).reshape(len(values), kinds)
