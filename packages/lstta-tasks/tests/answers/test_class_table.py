"""The confusion matrix and what follows from it, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from lstta_tasks.answers.class_table import class_table

CLASSES = ["cello", "flute", "drum", "bell", "voice"]
RANDOM = np.random.default_rng(3)
CASES = {
    "random": ([CLASSES[i] for i in RANDOM.integers(0, 4, 97)], [CLASSES[i] for i in RANDOM.integers(0, 5, 97)]),
    "one class": (["flute"] * 3, ["flute"] * 3),
    "never right": (["flute", "bell"], ["bell", "flute"]),
    "a class that is only said": (["flute", "bell"], ["voice", "voice"]),
    "outside the vocabulary": (["harp", "bell", "gong"], ["bell", "bell", "flute"]),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_scikit_learns(name: str) -> None:
    truth, said = CASES[name]
    table = class_table(truth, said, CLASSES)
    assert set(table.names) == {*truth, *said}
    order = [*CLASSES, *sorted({*truth, *said} - {*CLASSES})]
    assert list(table.names) == [label for label in order if label in table.names]
    np.testing.assert_array_equal(table.counts, confusion_matrix(truth, said, labels=list(table.names)))
    expected = precision_recall_fscore_support(truth, said, labels=list(table.names), average=None, zero_division=0)
    for row, *numbers in zip(table.rows, *expected, strict=True):
        assert [row.precision, row.recall, row.f1, row.count] == pytest.approx(numbers)


def test_the_commonest_mistakes_come_first() -> None:
    table = class_table(list("aaabbbc"), list("abbaabc"), list("abc"))
    assert table.most_confused(5) == [("a", "b", 2), ("b", "a", 2)]
    assert table.most_confused(1) == [("a", "b", 2)]
