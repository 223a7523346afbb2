"""Metrics of one class a sample. Pure counting; each is what scikit-learn calls by this name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Literal, TypeVar

from lstta_tasks.answers.report import Score

Class = TypeVar("Class", bound=Hashable)


def accuracy(truth: Sequence[Class], said: Sequence[Class]) -> float:
    """The share of samples whose class was said."""
    return sum(t == f for t, f in _pairs(truth, said)) / len(truth)


def f1_by_class(truth: Sequence[Class], said: Sequence[Class]) -> dict[Class, float]:
    """F1 of each class that is in ``truth`` or was said, in the order in which they first appear.

    2 tp / (2 tp + fp + fn): 0 for a class that was never said or that no sample has, where precision or recall alone
    would be undefined.
    """
    pairs = _pairs(truth, said)
    right = Counter(t for t, f in pairs if t == f)
    true, named = Counter(truth), Counter(said)
    return {name: 2 * right[name] / (true[name] + named[name]) for name in dict.fromkeys([*truth, *said])}


def weighted_f1(truth: Sequence[Class], said: Sequence[Class]) -> float:
    """The mean of the classes' F1, each weighted by how many samples have it *in truth*.

    Some public code for these data sets swaps the two arguments, and so weights by what was predicted.
    """
    f1 = f1_by_class(truth, said)
    return sum(f1[name] * count for name, count in Counter(truth).items()) / len(truth)


def macro_f1(truth: Sequence[Class], said: Sequence[Class]) -> float:
    """The plain mean of the F1 of all classes that are true or were said of any sample."""
    f1 = f1_by_class(truth, said)
    return sum(f1.values()) / len(f1)


def majority(truth: Sequence[Class]) -> Class:
    """The most frequent class; of several, the one that comes first."""
    return Counter(truth).most_common(1)[0][0]


def most_frequent(truth: Sequence[str], cells: Sequence[Hashable]) -> tuple[list[str], str]:
    """The trivial answer: the most frequent class of each sample's cell, and what answering so is called."""
    by_cell: dict[Hashable, list[str]] = {}
    for name, cell in zip(truth, cells, strict=True):
        by_cell.setdefault(cell, []).append(name)
    most = {cell: majority(names) for cell, names in by_cell.items()}
    called = f"always {next(iter(most.values()))}" if len(most) == 1 else "majority by type"
    return [most[cell] for cell in cells], called


def by_class(
    metric: Literal["recall", "f1"] | None, truth: Sequence[str], said: Sequence[str], classes: Sequence[str]
) -> list[Score]:
    """A score of each class that is in ``truth`` (or, for F1, was said): ``classes`` first, then others, sorted."""
    counts, f1 = Counter(truth), f1_by_class(truth, said)
    names = [*classes, *sorted(counts.keys() - set(classes))]
    if metric == "f1":
        return [Score(f"f1/{name}", f1[name], counts[name]) for name in names if name in f1]
    if metric == "recall":
        right = Counter(t for t, s in _pairs(truth, said) if t == s)
        return [Score(f"recall/{n}", right[n] / counts[n], counts[n]) for n in names if counts[n]]
    return []


def _pairs(truth: Sequence[Class], said: Sequence[Class]) -> list[tuple[Class, Class]]:
    if len(truth) != len(said) or not truth:
        raise ValueError(f"as many classes as samples are wanted, at least one: got {len(said)} for {len(truth)}")
    return list(zip(truth, said, strict=True))
