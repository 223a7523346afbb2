"""Agreement with known seconds against loops over pairs, and what its interval is good for."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lstta_tasks.importances.agreement import Mean, agreement, auroc, relevant_segments, tells_apart


@pytest.mark.parametrize("seed", range(5))
def test_auroc_against_a_loop(seed: int) -> None:
    random = np.random.default_rng(seed)
    numbers = random.integers(0, 5, 11).astype(float)  # with ties
    relevant = np.arange(11) < random.integers(1, 11)
    pairs = [
        (a, b)
        for (a, good), (b, bad) in itertools.product(zip(numbers, relevant, strict=True), repeat=2)
        if good and not bad
    ]
    wins = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs)
    assert auroc(numbers, relevant) == pytest.approx(wins / len(pairs))


def test_relevant_segments() -> None:
    """Segments of 1.6 s; a tenth of a second is enough, less is not."""
    spans = [(1.45, 1.75), (4.75, 4.85), (7.8, 9.0)]
    assert relevant_segments(spans, duration=8.0, segments=5).tolist() == [True, True, False, False, True]
    assert relevant_segments([], duration=8.0, segments=3).tolist() == [False] * 3


def test_means_over_the_samples_that_tell_apart() -> None:
    numbers = [np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 1.0]), np.array([0.0, 5.0, 1.0])]
    relevant = [np.array([True, False, False]), np.array([True, True, True]), np.array([True, False, True])]
    assert [tells_apart(segments) for segments in relevant] == [True, False, True]
    result = agreement(numbers, relevant, ["a", "a", "b"])
    assert result is not None
    assert (result.samples, result.clips) == (2, 2)
    assert result.relevant.value == pytest.approx((3 / 2 + (0 + 1) / 2 / 2) / 2)
    assert result.rest.value == pytest.approx(((1 + 2) / 2 / 2 + 5 / 2) / 2)
    assert result.auroc.value == pytest.approx((1 + 0) / 2)
    assert (result.auroc.low, result.auroc.high) == (0, 1), "one clip of two may be drawn twice"


def test_importances_that_have_all_rounded_to_zero_say_nothing() -> None:
    result = agreement([np.zeros(3, np.float32)], [np.array([True, False, False])], ["a"])
    assert result is not None
    assert (result.relevant.value, result.rest.value, result.auroc.value) == (1, 1, 0.5)


def test_no_sample_tells_apart() -> None:
    assert agreement([np.ones(3)], [np.zeros(3, bool)], ["a"]) is None
    assert agreement([], [], []) is None


def ends(mean: Mean) -> tuple[float, float]:
    assert mean.low is not None
    assert mean.high is not None
    return mean.low, mean.high


def test_numbers_without_meaning_are_near_chance_and_the_interval_says_so() -> None:
    random = np.random.default_rng(1)
    numbers = [random.random(8) for _ in range(600)]
    relevant = [random.random(8) < 0.4 for _ in range(600)]
    result = agreement(numbers, relevant, [str(i // 3) for i in range(600)])
    assert result is not None
    low, high = ends(result.auroc)
    assert low < 0.5 < high
    assert 0.01 < high - low < 0.06
    better = agreement(
        [n + 0.3 * r for n, r in zip(numbers, relevant, strict=True)], relevant, [str(i // 3) for i in range(600)]
    )
    assert better is not None
    assert ends(better.auroc)[0] > 0.6
    assert ends(better.relevant)[0] > ends(better.rest)[1]


def test_samples_of_one_clip_are_not_independent() -> None:
    """Copies of a clip's samples leave the interval as it is; as clips of their own they would make it narrower."""
    random = np.random.default_rng(2)
    numbers = [random.random(8) for _ in range(40)]
    relevant = [random.random(8) < 0.4 for _ in range(40)]
    clips = [str(i) for i in range(40)]
    once = agreement(numbers, relevant, clips)
    copies = agreement(numbers * 4, relevant * 4, clips * 4)
    own = agreement(numbers * 4, relevant * 4, [str(i) for i in range(160)])
    assert once is not None
    assert copies is not None
    assert own is not None
    assert ends(copies.auroc) == pytest.approx(ends(once.auroc))
    assert np.ptp(ends(own.auroc)) < 0.7 * np.ptp(ends(once.auroc))
