"""What every kind of answer has. A task names one; what reads the task's files is in the task."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lstta_tasks.answers.description import Answer
from lstta_tasks.answers.outcome import Outcome
from lstta_tasks.answers.report import Report
from lstta_tasks.answers.shaped_loss import Loss
from lstta_tasks.network import OnTowers
from lstta_tasks.sample import Predictions, Sample, Target

OUTSIDE_NAME = "(outside the vocabulary)"


class AnswerKind(OnTowers):
    """A kind of answer. Subclasses are final; ``head`` they must have too, see :class:`~lstta_tasks.network.OnTowers`.

    Attributes:
        words: whether the language encoder says the answer, so that it has to be one that speaks.
        ranks: whether an answer only says how well a text and a clip fit, so that texts, and clips, are ranked by it.
        classes: the names of what an answer is one of, in the order of targets; empty where it is no choice of one.
        segments: of an answer for every segment, how many rows a target has; None where answers are of the clip.
    """

    words: bool = False
    ranks: bool = False
    classes: tuple[str, ...] = ()
    segments: int | None = None

    @abstractmethod
    def loss(self, output: Any, target: Tensor) -> Tensor:
        """The mean loss of a batch, (), given the network's output and the samples' targets (B,) or (B, L)."""

    def losses(self, output: Any, target: Tensor) -> tuple[Tensor, Tensor]:
        """The loss of each sample, (B,), and what it counts in the mean over a split, (B,).

        By default the batch's mean and 1, as for losses that compare the samples of a batch with each other.
        """
        loss = self.loss(output, target).detach().float()
        return loss.expand(len(target)), torch.ones_like(loss).expand(len(target))

    def shaped(self, class_weights: Sequence[float] | None, label_smoothing: float) -> Loss:
        """:meth:`loss` of a training that weighs classes or smooths labels.

        Args:
            class_weights: in the order of :attr:`classes`; None for none.
            label_smoothing: how much of a target is shared out between all classes.

        Raises:
            ValueError: the kind can do neither, as those that do not pick from classes, by default.
        """
        raise ValueError("its answers are not one of some classes, so they have no weights and no smoothing")

    @abstractmethod
    def predict(self, output: Any) -> list[dict[str, Any]]:
        """One prediction a sample, given the network's output: JSON-able, unless :meth:`conclude` makes it so."""

    @abstractmethod
    def describe(self, output: Any) -> list[Answer]:
        """:meth:`predict` for people, one answer a sample; of a kind that ranks, each with a score."""

    def second_pass(self, predictions: Predictions, samples: Sequence[Sample]) -> list[Sample]:
        """What to run through the network's ``score`` once a whole split has been predicted; by default nothing.

        Returns:
            Samples with clips of the split and ids of their own, such as pairs that are to be ranked again.
        """
        return []

    def conclude(self, predictions: Predictions, samples: Sequence[Sample], scores: Mapping[str, float]) -> Predictions:
        """The predictions for :meth:`report` and for files, JSON-able, keyed by sample id; by default as they are.

        Args:
            predictions: of :meth:`predict`, by sample id.
            samples: of the split.
            scores: of the second pass, by the ids of its samples.
        """
        return predictions

    @abstractmethod
    def report(self, predictions: Predictions, samples: Sequence[Sample]) -> Report:
        """The metrics of the samples that have a prediction, keyed by sample id.

        Raises:
            ValueError: no sample has a prediction, or one is not finite.
        """

    @abstractmethod
    def names(self, target: Target) -> list[str]:
        """What a target is called where targets are counted: its class, its labels, the bin of a number; or nothing.

        Raises:
            ValueError: it is no target of this kind.
        """

    @abstractmethod
    def right(self, sample: Sample) -> dict[str, Any]:
        """The concluded prediction of a sample that is wholly right."""

    def outcome(self, sample: Sample, prediction: Mapping[str, Any]) -> Outcome:
        """The truth beside a concluded prediction; by default :meth:`right` beside the prediction as it is."""
        return Outcome(self.right(sample), dict(prediction))

    @abstractmethod
    def trivial(self, samples: Sequence[Sample]) -> Predictions | None:
        """The predictions that the primary score's baseline is of; None where that is an expectation over chance."""
