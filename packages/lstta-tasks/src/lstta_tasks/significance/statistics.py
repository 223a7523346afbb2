"""The numbers of a comparison. They are what SciPy, statsmodels and scikit-learn compute, which are no dependencies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Measures = Callable[[NDArray[np.int64]], dict[str, Numbers]]
"""Given places of samples, (R, n), the measures of each of the R draws, (R,), by name."""
AT_ONCE = 1 << 21
"""Places that are drawn at once."""


@dataclass(frozen=True)
class Difference:
    """A measure of two models, and what the bootstrap says of its difference.

    Attributes:
        name: of the measure.
        one: of the first model.
        other: of the second.
        low: the lower end of the difference's interval, second less first.
        high: the upper one.
        p: how often a draw of samples turns the difference round or takes it away, both sides counted: twice the
            smaller of the shares of draws at or below 0 and at or above it, each with one more draw that does.
    """

    name: str
    one: float
    other: float
    low: float
    high: float
    p: float


def mcnemar(only_one: int, only_other: int) -> float:
    """The exact two-sided p of McNemar's test: a binomial of one half over the samples that one of the two has right.

    Args:
        only_one: samples that the first model alone has right.
        only_other: samples that the second alone has right.
    """
    n, least = only_one + only_other, min(only_one, only_other)
    return min(1.0, 2 * sum(comb(n, k) for k in range(least + 1)) / 2**n)


def calibration_error(confidence: Sequence[float], right: Sequence[bool], bins: int = 15) -> float:
    """The expected calibration error, ECE (Guo et al. 2017, section 2).

    Over bins of equal width, left end excluded: the share of samples in it times the distance of their accuracy from
    their mean confidence.

    Args:
        confidence: the probability of what was said, of each sample.
        right: whether that was right.
        bins: how many.
    """
    sure, hit = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    place = np.clip(np.ceil(sure * bins).astype(np.int64) - 1, 0, bins - 1)
    gaps = np.bincount(place, hit - sure, minlength=bins)
    return float(np.abs(gaps).sum() / len(sure))


def paired_bootstrap(
    one: Measures, other: Measures, samples: int, *, resamples: int, seed: int, level: float = 0.95
) -> list[Difference]:
    """Both models measured on the same draws of samples, with replacement, as many as there are.

    Args:
        one: of the first model.
        other: of the second, with the same names.
        samples: how many there are.
        resamples: how many draws.
        seed: of the draws.
        level: of the interval, by percentiles.
    """
    random, every = np.random.default_rng(seed), np.arange(samples)[None]
    of_all = {name: (values[0], other(every)[name][0]) for name, values in one(every).items()}
    drawn: dict[str, list[Numbers]] = {name: [] for name in of_all}
    for start in range(0, resamples, rows := max(1, AT_ONCE // samples)):
        places = random.integers(samples, size=(min(rows, resamples - start), samples))
        first, second = one(places), other(places)
        for name in drawn:
            drawn[name].append(second[name] - first[name])
    found = []
    for name, (first_of_all, second_of_all) in of_all.items():
        differences = np.concatenate(drawn[name])
        low, high = np.quantile(differences, [(1 - level) / 2, (1 + level) / 2])
        sides = [int((differences <= 0).sum()), int((differences >= 0).sum())]
        p = min(1.0, 2 * (min(sides) + 1) / (resamples + 1))
        found.append(Difference(name, float(first_of_all), float(second_of_all), float(low), float(high), p))
    return found
