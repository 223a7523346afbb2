"""Counting against scikit-learn, on random classes and on degenerate ones."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from lstta_tasks.answers.class_metrics import accuracy, f1_by_class, macro_f1, majority, weighted_f1

RANDOM = np.random.default_rng(0)
CASES = {
    **{f"random {i}": (RANDOM.integers(0, 5, 97).tolist(), RANDOM.integers(0, 6, 97).tolist()) for i in range(5)},
    "one sample, right": ([3], [3]),
    "one sample, wrong": ([3], [2]),
    "one class": ([1] * 7, [1] * 7),
    "constant predictions": ([0, 1, 2, 1, 1], [1] * 5),
    "constant predictions of what nobody has": ([0, 1, 2, 1, 1], [4] * 5),
    "ties": ([0, 0, 1, 1], [1, 1, 0, 0]),
}


@pytest.mark.parametrize("name", CASES)
def test_they_are_scikit_learns(name: str) -> None:
    truth, found = CASES[name]
    assert accuracy(truth, found) == pytest.approx(accuracy_score(truth, found))
    assert weighted_f1(truth, found) == pytest.approx(f1_score(truth, found, average="weighted", zero_division=0))
    assert macro_f1(truth, found) == pytest.approx(f1_score(truth, found, average="macro", zero_division=0))
    by_class = f1_by_class(truth, found)
    labels = sorted(by_class)
    assert labels == sorted({*truth, *found})
    expected = f1_score(truth, found, labels=labels, average=None, zero_division=0)
    np.testing.assert_allclose([by_class[label] for label in labels], expected)


def test_weights_are_of_the_truth() -> None:
    truth, found = [0, 0, 0, 1], [0, 0, 1, 1]
    assert weighted_f1(truth, found) != pytest.approx(weighted_f1(found, truth))


def test_of_several_majorities_the_first() -> None:
    assert majority(["b", "a", "a", "b", "c"]) == "b"


@pytest.mark.parametrize(("truth", "found"), [([], []), ([1], []), ([1, 2], [1])])
def test_lengths_must_agree(truth: list[int], found: list[int]) -> None:
    with pytest.raises(ValueError, match="at least one: got"):
        accuracy(truth, found)
    with pytest.raises(ValueError, match="at least one: got"):
        weighted_f1(truth, found)
