"""Several labels at once: a logit and binary cross-entropy for each; F1 over all pairs of samples and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_tasks.answers.description import Answer
from lstta_tasks.answers.kind import AnswerKind
from lstta_tasks.answers.outcome import Outcome
from lstta_tasks.answers.report import Report, Score, answered
from lstta_tasks.sample import Predictions, Sample, Target

NONE = "(none)"
Pairs = set[tuple[str, str]]
"""Sample ids with labels."""


@final
class SeveralLabels(AnswerKind):
    """Which of some labels fit, any number of them.

    A target is a row of L numbers, 1 where the label fits and 0 where not, see :meth:`target`. Labels that train lacks
    stand in the sample's ``labels``, and count as missed.

    Args:
        labels: L names.
        field: the name of the list of labels in a prediction.
    """

    def __init__(self, labels: Sequence[str], *, field: str = "labels") -> None:
        self.labels = tuple(labels)
        self.field = field

    def target(self, labels: Sequence[str]) -> tuple[int, ...]:
        """The target of a sample with these labels, L numbers; others are left out."""
        return tuple(int(label in labels) for label in self.labels)

    def head(self, width: int) -> nn.Module:
        return nn.Linear(width, len(self.labels))

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean binary cross-entropy of logits (B, L) and targets (B, L)."""
        return F.binary_cross_entropy_with_logits(output, target.to(output.dtype))

    def losses(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        logits = output.float()
        losses = F.binary_cross_entropy_with_logits(logits, target.to(logits.dtype), reduction="none").mean(-1)
        return losses, torch.ones_like(losses)

    def predict(self, output: Tensor) -> list[dict[str, Any]]:
        """The labels whose probability is above one half."""
        return [{self.field: self._chosen(row)} for row in (output > 0).tolist()]

    def describe(self, output: Tensor) -> list[Answer]:
        """Those labels, and the probability of every one."""
        rows = [dict(zip(self.labels, row, strict=True)) for row in output.float().sigmoid().tolist()]
        choices = [dict(sorted(row.items(), key=lambda choice: -choice[1])) for row in rows]
        words = [", ".join(self._chosen(row)) or NONE for row in (output > 0).tolist()]
        return [Answer(text, row) for text, row in zip(words, choices, strict=True)]

    def report(self, predictions: Predictions, samples: Sequence[Sample]) -> Report:
        """F1 over all (sample, label) pairs, 0 where nothing is right; its baseline gives every label to everyone."""
        samples, answers = answered(predictions, samples)
        true = {(sample.id, label) for sample in samples for label in self._truth(sample)}
        said = {(s.id, label) for s, answer in zip(samples, answers, strict=True) for label in answer[self.field]}
        everything = {(sample.id, label) for sample in samples for label in self.labels}
        return Report("F1", (Score("F1", f1(said, true), len(samples), f1(everything, true), "all labels"),))

    def names(self, target: Target) -> list[str]:
        numbers: list[Any] | None = list(target) if isinstance(target, Sequence) else None
        if numbers is None or len(numbers) != len(self.labels) or not set(numbers) <= {0, 1}:
            raise ValueError(f"a row of {len(self.labels)} numbers is wanted, each 0 or 1, got {target!r:.80}")
        return self._chosen(numbers) or [NONE]

    def outcome(self, sample: Sample, prediction: Mapping[str, Any]) -> Outcome:
        return Outcome(self._truth(sample), list(prediction[self.field]))

    def right(self, sample: Sample) -> dict[str, Any]:
        return {self.field: self._truth(sample)}

    def trivial(self, samples: Sequence[Sample]) -> Predictions:
        return {sample.id: {self.field: list(self.labels)} for sample in samples}

    def _truth(self, sample: Sample) -> list[str]:
        own = [name for name in self.names(sample.target) if name != NONE]
        return [*own, *(label for label in sample.labels if label not in self.labels)]

    def _chosen(self, row: Sequence[float]) -> list[str]:
        return [label for label, on in zip(self.labels, row, strict=True) if on]


def f1(said: Pairs, true: Pairs) -> float:
    """The harmonic mean of precision and recall, over all pairs; 0 where there are none."""
    return 2 * len(said & true) / max(len(said) + len(true), 1)
