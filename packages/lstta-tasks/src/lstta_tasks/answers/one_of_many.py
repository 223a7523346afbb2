"""One of many classes: softmax and cross-entropy. Accuracies and baselines are in ``class_report``."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Literal, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_tasks.answers.class_report import ClassReport, Group
from lstta_tasks.answers.shaped_loss import OUTSIDE as OUTSIDE
from lstta_tasks.answers.shaped_loss import Loss, cross_entropy
from lstta_tasks.sample import Sample


@final
class OneOfMany(ClassReport):
    """One of many classes.

    Args:
        classes: their names, in the order of targets and logits.
        field: the name of the class in a prediction.
        groups: the groups of a sample that have an accuracy of their own, next to ``overall``.
        cell: within what the trivial answer is the most frequent one; by default within each row of the report. Whole
            groups are made of whole cells.
        per_class: ``"recall"`` for that of each class; ``"f1"`` for each class's F1 and their mean, weighted by how
            often each is true, which selection then goes by in place of accuracy.
        class_weights: of the loss, by class; the batch's mean is weighted too. None weighs all samples alike.
        note: what a reader of the report must know of its samples; empty for nothing.
    """

    def __init__(
        self,
        classes: Sequence[str],
        *,
        field: str = "answer",
        groups: Callable[[Sample], Sequence[Group]] | None = None,
        cell: Callable[[Sample], Hashable] | None = None,
        per_class: Literal["recall", "f1"] | None = None,
        class_weights: Sequence[float] | None = None,
        note: Callable[[Sequence[Sample]], str] = lambda samples: "",
    ) -> None:
        self.classes = tuple(classes)
        self.field, self.groups, self.cell, self.per_class = field, groups, cell, per_class
        self.class_weights, self.note = class_weights, note

    def head(self, width: int) -> nn.Module:
        return nn.Linear(width, len(self.classes))

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy of logits (B, C), over the targets (B,) that are not :data:`OUTSIDE`; 0 where all are."""
        if self.class_weights is not None:
            weight = output.new_tensor(self.class_weights)
            total = self._weights(target, weight).sum()
            summed = F.cross_entropy(output, target, weight=weight, ignore_index=OUTSIDE, reduction="sum")
            return summed / torch.where(total > 0, total, 1.0)
        inside = (target != OUTSIDE).sum().clamp(min=1)
        return F.cross_entropy(output, target, ignore_index=OUTSIDE, reduction="sum") / inside

    def losses(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Cross-entropy; each counts with its class's weight, and one that is :data:`OUTSIDE` for nothing."""
        logits = output.float()
        weights = logits.new_tensor(self.class_weights or [1.0] * len(self.classes))
        losses = F.cross_entropy(logits, target, ignore_index=OUTSIDE, reduction="none")
        return losses, self._weights(target, weights)

    def shaped(self, class_weights: Sequence[float] | None, label_smoothing: float) -> Loss:
        if class_weights is not None and self.class_weights is not None:
            raise ValueError("it weighs classes by itself (task.class_weights); set one of the two to None")
        weights = self.class_weights if class_weights is None else class_weights
        return lambda output, target: cross_entropy(output, target, weights, label_smoothing)

    def _weights(self, target: Tensor, weights: Tensor) -> Tensor:
        """(B,): those of the targets' classes (C,), 0 of :data:`OUTSIDE`."""
        return weights[target.clamp(min=0)] * (target != OUTSIDE)
