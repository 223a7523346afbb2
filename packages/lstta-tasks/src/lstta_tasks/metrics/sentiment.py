"""The metrics of CMU-MOSI and CMU-MOSEI, as MMSA and CMU's SDK compute them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lstta_tasks.metrics.classes import accuracy, majority, weighted_f1
from lstta_tasks.metrics.scores import Half, mean_absolute_error, pearson, to_classes
from lstta_tasks.task import Score

HALVES: tuple[Half, ...] = ("even", "away")


def sentiment_scores(truth: Sequence[float], found: Sequence[float]) -> tuple[tuple[Score, ...], tuple[str, ...]]:
    """Scores and notes of predictions of sentiment in [−3, 3].

    - ``has0/acc2``, ``has0/f1``: negative (< 0) or not, over all; the F1 is weighted.
    - ``non0/acc2``, ``non0/f1``: positive (> 0) or not, over those whose true score is not 0; not reported where all
      are 0.
    - ``acc7/half_even``, ``acc7/half_away``, ``acc5/…``: the nearest whole number, of scores clipped to ±3 and to ±2,
      with halves rounded as numpy and MMSA do, and as CMU's SDK does.
    - ``corr``: Pearson's; 0 where truth or predictions are constant, with a note.
    - ``mae``.

    Baselines are of one answer for all of these very samples: the more frequent class, and for ``mae`` their mean.
    ``corr`` of any such answer is 0.

    Raises:
        ValueError: NaN, infinity, or no sample.
    """
    t, f = np.asarray(truth, np.float64), np.asarray(found, np.float64)
    mae, corr = mean_absolute_error(t, f), pearson(t, f)
    scores = [*_binary("has0", t >= 0, f >= 0, ("not negative", "negative"))]
    not_zero = t != 0
    if not_zero.any():
        scores += _binary("non0", t[not_zero] > 0, f[not_zero] > 0, ("positive", "not positive"))
    for classes, bound in (("acc7", 3), ("acc5", 2)):
        for half in HALVES:
            scores.append(_rounded(f"{classes}/half_{half}", to_classes(t, bound, half), to_classes(f, bound, half)))
    scores.append(Score("corr", corr, len(t), 0.0, "always the same"))
    mean = float(t.mean())
    of_mean = mean_absolute_error(t, np.full_like(t, mean))
    scores.append(Score("mae", mae, len(t), of_mean, f"always the mean, {mean:.3f}", lower_is_better=True))
    constant = [name for name, values in (("true", t), ("predicted", f)) if values.min() == values.max()]
    note = f"all {' and '.join(constant)} scores are the same: their correlation is undefined, and given as 0"
    return tuple(scores), (note,) if constant else ()


def _binary(name: str, truth: NDArray[np.bool_], found: NDArray[np.bool_], names: tuple[str, str]) -> Iterator[Score]:
    t, f = truth.tolist(), found.tolist()
    most = majority(t)
    always = [most] * len(t)
    answer = f"always {names[0] if most else names[1]}"
    yield Score(f"{name}/acc2", accuracy(t, f), len(t), accuracy(t, always), answer)
    yield Score(f"{name}/f1", weighted_f1(t, f), len(t), weighted_f1(t, always), answer)


def _rounded(name: str, truth: list[int], found: list[int]) -> Score:
    most = majority(truth)
    return Score(name, accuracy(truth, found), len(truth), truth.count(most) / len(truth), f"always {most}")
