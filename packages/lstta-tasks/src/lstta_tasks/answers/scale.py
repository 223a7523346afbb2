"""A number on a scale: mean absolute error and correlation, and the metrics of CMU-MOSI and CMU-MOSEI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from lstta_tasks.answers.class_metrics import accuracy, majority, weighted_f1
from lstta_tasks.answers.description import Answer
from lstta_tasks.answers.kind import AnswerKind
from lstta_tasks.answers.outcome import Outcome
from lstta_tasks.answers.report import Report, Score, answered
from lstta_tasks.sample import Predictions, Sample, Target

Half = Literal["even", "away"]
HALVES: tuple[Half, ...] = ("even", "away")
Numbers = Sequence[float] | NDArray[Any]
BINS = 7


@final
class Scale(AnswerKind):
    """A number from ``low`` to ``high``.

    Args:
        low: the lower end.
        high: the upper end.
        loss: ``"l1"``, or ``"smooth_l1"``, which is quadratic where the error is below 1.
        degrees: names of evenly spaced numbers, the first that of ``low``, the last that of ``high``; for people.
        signs: whether it matters on which side of 0 a number lies: the scores ``has0/…`` and ``non0/…``.
        rounded: bounds of whole numbers that are told apart, by the name of their scores: ``{"acc7": 3}``.
    """

    def __init__(
        self,
        low: float,
        high: float,
        *,
        loss: Literal["l1", "smooth_l1"] = "l1",
        degrees: Sequence[str] = (),
        signs: bool = False,
        rounded: Mapping[str, int] | None = None,
    ) -> None:
        self.low, self.high = low, high
        self._error = F.smooth_l1_loss if loss == "smooth_l1" else F.l1_loss
        self.degrees, self.signs, self.rounded = degrees, signs, rounded or {}

    def head(self, width: int) -> nn.Module:
        """To the score. It is not clipped: errors and correlation are of what the model says."""
        return nn.Linear(width, 1)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean error of scores (B, 1) and targets (B,)."""
        return self._error(output.squeeze(-1), target.to(output.dtype))

    def losses(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        scores = output.float().squeeze(-1)
        losses = self._error(scores, target.to(scores.dtype), reduction="none")
        return losses, torch.ones_like(losses)

    def predict(self, output: Tensor) -> list[dict[str, Any]]:
        return [{"score": score} for score in output.float().squeeze(-1).tolist()]

    def describe(self, output: Tensor) -> list[Answer]:
        """The score, and the name of the nearest degree."""
        scores = output.float().squeeze(-1).tolist()
        return [Answer(self._degree(score), score=score, scale=(self.low, self.high)) for score in scores]

    def report(self, predictions: Predictions, samples: Sequence[Sample]) -> Report:
        """All of :meth:`scores`; selection goes by the mean absolute error."""
        samples, answers = answered(predictions, samples, "score")
        scores, notes = self.scores([_number(s.target) for s in samples], [answer["score"] for answer in answers])
        return Report("mae", scores, notes)

    def scores(self, truth: Numbers, said: Numbers) -> tuple[tuple[Score, ...], tuple[str, ...]]:
        """Scores and notes, as MMSA and CMU's SDK compute them for sentiment.

        - ``has0/acc2``, ``has0/f1``: negative (< 0) or not, over all; the F1 is weighted.
        - ``non0/acc2``, ``non0/f1``: positive (> 0) or not, over those whose true score is not 0; not reported where
          all are 0.
        - ``acc7/half_even``, ``acc7/half_away``, …: the nearest whole number, of scores clipped to the bound, with
          halves rounded as numpy and MMSA do, and as CMU's SDK does.
        - ``corr``: Pearson's; 0 where truth or predictions are constant, with a note.
        - ``mae``.

        Baselines are of one answer for all of these very samples: the more frequent class, and for ``mae`` their mean.
        ``corr`` of any such answer is 0.

        Raises:
            ValueError: NaN, infinity, or no sample.
        """
        t, s = np.asarray(truth, np.float64), np.asarray(said, np.float64)
        mae, corr = mean_absolute_error(t, s), pearson(t, s)
        scores: list[Score] = []
        if self.signs:
            scores += _binary("has0", t >= 0, s >= 0, ("not negative", "negative"))
            not_zero = t != 0
            if not_zero.any():
                scores += _binary("non0", t[not_zero] > 0, s[not_zero] > 0, ("positive", "not positive"))
        for name, bound in self.rounded.items():
            for half in HALVES:
                scores.append(_rounded(f"{name}/half_{half}", to_classes(t, bound, half), to_classes(s, bound, half)))
        scores.append(Score("corr", corr, len(t), 0.0, "always the same"))
        mean = float(t.mean())
        of_mean = mean_absolute_error(t, np.full_like(t, mean))
        scores.append(Score("mae", mae, len(t), of_mean, f"always the mean, {mean:.3f}", lower_is_better=True))
        constant = [name for name, values in (("true", t), ("predicted", s)) if values.min() == values.max()]
        note = f"all {' and '.join(constant)} scores are the same: their correlation is undefined, and given as 0"
        return tuple(scores), (note,) if constant else ()

    def names(self, target: Target) -> list[str]:
        """One of :data:`BINS` equal bins."""
        if not isinstance(target, int | float) or not self.low <= target <= self.high:
            raise ValueError(f"a number from {self.low:g} to {self.high:g} is wanted, got {target!r}")
        wide = (self.high - self.low) / BINS
        start = self.low + wide * min(int((target - self.low) / wide), BINS - 1)
        return [f"{start:+.2f} to {start + wide:+.2f}"]

    def outcome(self, sample: Sample, prediction: Mapping[str, Any]) -> Outcome:
        return Outcome(_number(sample.target), prediction["score"])

    def right(self, sample: Sample) -> dict[str, Any]:
        return {"score": _number(sample.target)}

    def trivial(self, samples: Sequence[Sample]) -> Predictions:
        mean = float(np.mean([_number(sample.target) for sample in samples]))
        return {sample.id: {"score": mean} for sample in samples}

    def _degree(self, score: float) -> str:
        if not self.degrees:
            return f"{score:.2f}"
        above = min(max(score, self.low), self.high) - self.low
        return self.degrees[round(above * (len(self.degrees) - 1) / (self.high - self.low))]


def mean_absolute_error(truth: Numbers, said: Numbers) -> float:
    """Mean of |said − truth|. Raises a ValueError for NaN, infinity, or lists of different lengths."""
    t, s = _checked(truth, said)
    return float(np.abs(s - t).mean())


def pearson(truth: Numbers, said: Numbers) -> float:
    """Pearson's correlation; 0 where either is constant, as one sample is, and it is undefined (our choice).

    Raises:
        ValueError: NaN, infinity, or lists of different lengths.
    """
    t, s = _checked(truth, said)
    if t.min() == t.max() or s.min() == s.max():
        return 0.0
    t, s = t - t.mean(), s - s.mean()
    return float(np.clip((t / np.linalg.norm(t)) @ (s / np.linalg.norm(s)), -1, 1))


def to_classes(values: Numbers, bound: int, half: Half) -> list[int]:
    """Each value, clipped to ±bound, as the nearest whole number: 2 · bound + 1 classes.

    Args:
        values: on the scale.
        bound: 3 for Acc-7, 2 for Acc-5.
        half: where a half goes: to the ``"even"`` neighbour, as numpy rounds and MMSA with it, or ``"away"`` from
            zero, as CMU's SDK.
    """
    clipped = np.clip(np.asarray(values, np.float64), -bound, bound)
    if half == "even":
        return [int(value) for value in np.round(clipped)]
    whole = np.trunc(clipped)
    return [int(value) for value in whole + np.sign(clipped) * (np.abs(clipped - whole) >= 0.5)]


def _binary(name: str, truth: NDArray[np.bool_], said: NDArray[np.bool_], names: tuple[str, str]) -> Iterator[Score]:
    t, s = truth.tolist(), said.tolist()
    most = majority(t)
    always = [most] * len(t)
    answer = f"always {names[0] if most else names[1]}"
    yield Score(f"{name}/acc2", accuracy(t, s), len(t), accuracy(t, always), answer)
    yield Score(f"{name}/f1", weighted_f1(t, s), len(t), weighted_f1(t, always), answer)


def _rounded(name: str, truth: list[int], said: list[int]) -> Score:
    most = majority(truth)
    return Score(name, accuracy(truth, said), len(truth), truth.count(most) / len(truth), f"always {most}")


def _number(target: Target) -> float:
    assert isinstance(target, int | float)
    return float(target)


def _checked(truth: Numbers, said: Numbers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    t, s = np.asarray(truth, np.float64), np.asarray(said, np.float64)
    if t.shape != s.shape or t.ndim != 1 or not t.size:
        raise ValueError(f"as many numbers as samples are wanted, at least one: got {s.shape} for {t.shape}")
    for values, name in ((t, "truth"), (s, "predictions")):
        if not np.isfinite(values).all():
            place = int(np.flatnonzero(~np.isfinite(values))[0])
            raise ValueError(f"{name}: number {place} is {values[place]}, which no metric is defined for")
    return t, s
