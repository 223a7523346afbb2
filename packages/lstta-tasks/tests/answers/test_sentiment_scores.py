"""All of MOSI's scores against a naive computation with scikit-learn and scipy."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import accuracy_score, f1_score

from lstta_tasks.tasks.sentiment import Sentiment

sentiment_scores = Sentiment().answer.scores
RANDOM = np.random.default_rng(0)


def sevenths(count: int) -> list[float]:
    """Scores as MOSI has them: means of five annotators' whole numbers; many are 0, some are halves."""
    return (RANDOM.integers(-6, 7, count) / 2).tolist()


CASES = {
    **{f"random {i}": (sevenths(97), RANDOM.normal(0, 2, 97).tolist()) for i in range(3)},
    "predictions at halves and zero": (sevenths(53), sevenths(53)),
    "one sample": ([1.5], [-0.5]),
    "one sample of 0": ([0.0], [0.0]),
    "all ties": ([2.0] * 5, [2.0] * 5),
    "one class": ([1.0, 2.0, 2.5], [0.5, -1.0, 3.0]),
    "constant predictions": (sevenths(31), [0.25] * 31),
    "out of range": ([3.0, -3.0], [7.5, -100.0]),
}


def naive(truth: list[float], found: list[float]) -> dict[str, float]:
    t, f = np.array(truth), np.array(found)
    kept = t != 0
    scores = {
        "has0/acc2": accuracy_score(t >= 0, f >= 0),
        "has0/f1": f1_score(t >= 0, f >= 0, average="weighted", zero_division=0),
        "mae": np.abs(t - f).sum() / len(t),
        "corr": pearsonr(t, f).statistic if len(set(truth)) > 1 and len(set(found)) > 1 else 0,
    }
    if kept.any():
        scores["non0/acc2"] = accuracy_score(t[kept] > 0, f[kept] > 0)
        scores["non0/f1"] = f1_score(t[kept] > 0, f[kept] > 0, average="weighted", zero_division=0)
    for name, bound in (("acc7", 3), ("acc5", 2)):
        clipped = [[min(max(value, -bound), bound) for value in values] for values in (truth, found)]
        even = [[round(value) for value in values] for values in clipped]
        away = [[int(math.copysign(math.floor(abs(v) * 2 + 1) // 2, v)) for v in values] for values in clipped]
        scores[f"{name}/half_even"] = accuracy_score(*even)
        scores[f"{name}/half_away"] = accuracy_score(*away)
    return scores


@pytest.mark.parametrize("name", CASES)
def test_scores_are_the_naive_ones(name: str) -> None:
    truth, found = CASES[name]
    scores, notes = sentiment_scores(truth, found)
    assert {score.name: score.value for score in scores} == pytest.approx(naive(truth, found), abs=1e-12)
    assert {score.name for score in scores if score.lower_is_better} == {"mae"}
    assert bool(notes) == (len(set(truth)) == 1 or len(set(found)) == 1)


@pytest.mark.parametrize("name", CASES)
def test_baselines_are_of_one_answer_for_these_samples(name: str) -> None:
    truth, found = CASES[name]
    scores, _ = sentiment_scores(truth, found)
    by_name = {score.name: score for score in scores}
    assert by_name["mae"].baseline == pytest.approx(naive(truth, [float(np.mean(truth))] * len(truth))["mae"])
    assert by_name["corr"].baseline == 0
    signs = Counter(value >= 0 for value in truth)
    constant = 1.0 if signs[True] > signs[False] or (signs[True] == signs[False] and truth[0] >= 0) else -1.0
    expected = naive(truth, [constant] * len(truth))
    assert by_name["has0/acc2"].baseline == pytest.approx(max(signs.values()) / len(truth))
    assert by_name["has0/f1"].baseline == pytest.approx(expected["has0/f1"])
    assert by_name["acc7/half_even"].baseline == Counter(map(round, truth)).most_common(1)[0][1] / len(truth)


def test_zero_counts_as_not_negative_and_is_left_out() -> None:
    scores, _ = sentiment_scores([0.0, -1.0, 1.0], [-0.1, 0.0, 0.0])
    by_name = {score.name: (score.value, score.count) for score in scores}
    assert by_name["has0/acc2"] == (1 / 3, 3)
    assert by_name["non0/acc2"] == (1 / 2, 2)


def test_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="predictions: number 1 is nan"):
        sentiment_scores([1.0, 2.0], [0.0, math.nan])
