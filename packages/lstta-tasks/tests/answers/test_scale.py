"""Errors and correlation against scikit-learn and scipy, rounding against Python's decimals."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import mean_absolute_error as sklearn_mae

from lstta_tasks.answers.scale import Half, mean_absolute_error, pearson, to_classes

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("count", [1, 2, 3, 97])
@pytest.mark.parametrize("scale", [1e-6, 1, 1e6])
def test_error_and_correlation(count: int, scale: float) -> None:
    truth, found = scale * RANDOM.normal(size=count), scale * RANDOM.normal(size=count) + 5
    assert mean_absolute_error(truth, found) == pytest.approx(sklearn_mae(truth, found))
    if count > 1:
        assert pearson(truth, found) == pytest.approx(pearsonr(truth, found).statistic, abs=1e-9)
        assert pearson(truth, -2 * truth) == pytest.approx(-1)
        assert abs(pearson(truth, truth)) <= 1


@pytest.mark.parametrize(("truth", "found"), [([1.0], [2.0]), ([1.0, 1.0], [1.0, 2.0]), ([1.0, 2.0], [0.1, 0.1])])
def test_the_correlation_of_a_constant_is_0(truth: list[float], found: list[float]) -> None:
    assert pearson(truth, found) == 0
    assert pearson(found, truth) == 0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("metric", [mean_absolute_error, pearson])
def test_what_is_no_number_is_refused(metric: object, bad: float) -> None:
    with pytest.raises(ValueError, match=r"predictions: number 1 is (nan|-?inf)"):
        metric([1.0, 2.0], [0.0, bad])  # type: ignore[operator]
    with pytest.raises(ValueError, match=r"truth: number 0 is (nan|-?inf)"):
        metric([bad, 2.0], [0.0, 1.0])  # type: ignore[operator]
    with pytest.raises(ValueError, match=r"at least one: got \(1,\) for \(2,\)"):
        metric([1.0, 2.0], [0.0])  # type: ignore[operator]
    with pytest.raises(ValueError, match="at least one"):
        metric([], [])  # type: ignore[operator]


HALVES = [i / 2 for i in range(-9, 10)]
NEAR = [math.nextafter(half, toward) for half in HALVES for toward in (-9, 9)]


@pytest.mark.parametrize(("half", "mode"), [("even", ROUND_HALF_EVEN), ("away", ROUND_HALF_UP)])
@pytest.mark.parametrize("bound", [2, 3])
def test_rounding_is_that_of_decimals(half: Half, mode: str, bound: int) -> None:
    """``ROUND_HALF_UP`` of the decimal module is away from zero."""
    values = [*HALVES, *NEAR, *RANDOM.uniform(-4, 4, 97).tolist(), -0.0, 100.0]
    clipped = [min(max(value, -bound), bound) for value in values]
    expected = [int(Decimal(value).quantize(Decimal(1), rounding=mode)) for value in clipped]
    assert to_classes(values, bound, half) == expected
    assert len(set(expected)) == 2 * bound + 1


def test_the_two_roundings_differ_at_halves_alone() -> None:
    assert to_classes([0.5, 1.5, 2.5, -0.5, -2.5], 3, "even") == [0, 2, 2, 0, -2]
    assert to_classes([0.5, 1.5, 2.5, -0.5, -2.5], 3, "away") == [1, 2, 3, -1, -3]
    values = RANDOM.normal(size=997)
    assert to_classes(values, 3, "even") == to_classes(values, 3, "away")
