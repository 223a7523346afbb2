"""How often each class was taken for each: the confusion matrix, and precision, recall and F1 that follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ClassRow:
    """One class; each number is what scikit-learn calls by this name, and 0 where it would be 0 / 0.

    Attributes:
        name: of the class.
        precision: of the samples of which it was said, the share that has it.
        recall: of those that have it, the share of which it was said.
        f1: their harmonic mean.
        count: how many samples have it.
    """

    name: str
    precision: float
    recall: float
    f1: float
    count: int


@dataclass(frozen=True)
class ClassTable:
    """The confusion matrix of some samples.

    Attributes:
        names: of the C classes that are true or were said of any sample.
        counts: (C, C) int64; a row is a true class, a column one that was said.
    """

    names: tuple[str, ...]
    counts: NDArray[np.int64]

    @cached_property
    def rows(self) -> list[ClassRow]:
        """A row for each class, in the order of :attr:`names`."""
        right, true, said = np.diag(self.counts), self.counts.sum(1), self.counts.sum(0)
        columns = (right / np.maximum(said, 1), right / np.maximum(true, 1), 2 * right / (true + said), true)
        numbers = zip(*(column.tolist() for column in columns), strict=True)
        return [ClassRow(name, *row) for name, row in zip(self.names, numbers, strict=True)]

    def most_confused(self, most: int) -> list[tuple[str, str, int]]:
        """The commonest mistakes, at most so many: what is true, what was said, how often."""
        wrong = self.counts - np.diag(np.diag(self.counts))
        places = np.argsort(-wrong, axis=None, kind="stable")[:most].tolist()
        found = [(*divmod(place, len(self.names)), int(wrong.flat[place])) for place in places]
        return [(self.names[true], self.names[said], count) for true, said, count in found if count]


def each_class(truth: Sequence[Any], said: Sequence[Any]) -> tuple[list[str], list[str]]:
    """The classes of samples, of each segment where an answer has many; without segments that count nowhere."""
    pairs: list[tuple[Any, Any]] = []
    for true, found in zip(truth, said, strict=True):
        if isinstance(true, Mapping):
            pairs += zip(true["segments"], found["segments"], strict=True)
        else:
            pairs.append((true, found))
    counted = [pair for pair in pairs if None not in pair]
    return [true for true, _ in counted], [found for _, found in counted]


def class_table(truth: Sequence[str], said: Sequence[str], classes: Sequence[str]) -> ClassTable:
    """The table of samples, by their true classes and by those that were said.

    Args:
        truth: of each sample, at least one.
        said: likewise.
        classes: in the order of the table; others, such as answers that train lacks, follow, sorted.
    """
    there = {*truth, *said}
    names = [name for name in classes if name in there]
    names += sorted(there - set(names))
    index = {name: place for place, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)), np.int64)
    np.add.at(counts, ([index[name] for name in truth], [index[name] for name in said]), 1)
    return ClassTable(tuple(names), counts)
