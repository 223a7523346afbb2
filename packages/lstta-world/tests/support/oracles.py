"""What a table learnt by heart reaches: the bound of a model that sees only what the table's keys tell."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence

Row = tuple[Hashable, bool]  # what is known, and whether it is true


def accuracy_of_table(train: Sequence[Row], test: Sequence[Row]) -> float:
    """The share of ``test`` that the most frequent truth of its key in ``train`` gets right; unknown keys: half."""
    table: dict[Hashable, Counter[bool]] = defaultdict(Counter)
    for key, true in train:
        table[key][true] += 1
    right = 0.0
    for key, true in test:
        counts = table.get(key)
        right += 0.5 if counts is None or counts[True] == counts[False] else (counts[True] > counts[False]) == true
    return right / len(test)
