"""Metrics of one class a sample. Pure counting; each is what scikit-learn calls by this name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TypeVar

Class = TypeVar("Class", bound=Hashable)


def accuracy(truth: Sequence[Class], found: Sequence[Class]) -> float:
    """The share of samples whose class was found."""
    return sum(t == f for t, f in _pairs(truth, found)) / len(truth)


def f1_by_class(truth: Sequence[Class], found: Sequence[Class]) -> dict[Class, float]:
    """F1 of each class that is in ``truth`` or was found, in the order in which they first appear.

    2 tp / (2 tp + fp + fn): 0 for a class that was never found or that no sample has, where precision or recall alone
    would be undefined.
    """
    pairs = _pairs(truth, found)
    right = Counter(t for t, f in pairs if t == f)
    there, named = Counter(truth), Counter(found)
    return {name: 2 * right[name] / (there[name] + named[name]) for name in dict.fromkeys([*truth, *found])}


def weighted_f1(truth: Sequence[Class], found: Sequence[Class]) -> float:
    """The mean of the classes' F1, each weighted by how many samples have it *in truth*.

    Some public code for these data sets swaps the two arguments, and so weights by what was predicted.
    """
    by_class = f1_by_class(truth, found)
    return sum(by_class[name] * count for name, count in Counter(truth).items()) / len(truth)


def majority(truth: Sequence[Class]) -> Class:
    """The most frequent class; of several, the one that comes first."""
    return Counter(truth).most_common(1)[0][0]


def _pairs(truth: Sequence[Class], found: Sequence[Class]) -> list[tuple[Class, Class]]:
    if len(truth) != len(found) or not truth:
        raise ValueError(f"as many classes as samples are wanted, at least one: got {len(found)} for {len(truth)}")
    return list(zip(truth, found, strict=True))
