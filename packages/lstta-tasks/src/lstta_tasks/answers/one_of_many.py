"""One of many classes: softmax and cross-entropy; accuracy, by groups or by class."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Literal, final

import torch.nn.functional as F
from torch import Tensor, nn

from lstta_tasks.answers.class_metrics import accuracy, by_class, most_frequent, weighted_f1
from lstta_tasks.answers.description import Answer, likeliest
from lstta_tasks.answers.kind import OUTSIDE_NAME, AnswerKind
from lstta_tasks.answers.report import Report, Score, answered
from lstta_tasks.sample import Predictions, Sample, Target

OUTSIDE = -1
"""The target of a class that train lacks: no loss, and never counted as right. Its name is the sample's last label."""
Group = tuple[str, ...]


@final
class OneOfMany(AnswerKind):
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
            return F.cross_entropy(output, target, weight=weight, ignore_index=OUTSIDE)
        inside = (target != OUTSIDE).sum().clamp(min=1)
        return F.cross_entropy(output, target, ignore_index=OUTSIDE, reduction="sum") / inside

    def predict(self, output: Tensor) -> list[dict[str, Any]]:
        """The likeliest class of each row of logits (B, C), and its ``probability``."""
        probabilities, best = output.float().softmax(-1).max(-1)
        pairs = zip(best.tolist(), probabilities.tolist(), strict=True)
        return [{self.field: self.classes[i], "probability": p} for i, p in pairs]

    def describe(self, output: Tensor) -> list[Answer]:
        """The likeliest class, and the probability of every one."""
        return [likeliest(dict(zip(self.classes, row, strict=True))) for row in output.float().softmax(-1).tolist()]

    def report(self, predictions: Predictions, samples: Sequence[Sample]) -> Report:
        """Accuracy of each group and of all: right answers over samples, never a mean of means."""
        samples, answers = answered(predictions, samples, "probability")
        truth, said = [self._truth(sample) for sample in samples], [answer[self.field] for answer in answers]
        scores = by_class(self.per_class, truth, said, self.classes)
        rows: dict[Group, list[int]] = {}
        for place, sample in enumerate(samples):
            for group in (*(self.groups(sample) if self.groups else ()), ()):
                rows.setdefault(group, []).append(place)
        for group in sorted(rows, key=lambda group: (-len(group), group)):
            name = "/".join(group) or ("overall" if self.groups else "accuracy")
            always, baseline = self._always([samples[i] for i in rows[group]])
            t, s = [truth[i] for i in rows[group]], [said[i] for i in rows[group]]
            scores.append(Score(name, accuracy(t, s), len(t), accuracy(t, always), baseline))
        if self.per_class == "f1":
            f1, of_baseline = weighted_f1(truth, said), weighted_f1(truth, always)
            scores.append(Score("weighted_f1", f1, len(truth), of_baseline, baseline))
        outside = sum(sample.target == OUTSIDE for sample in samples)
        noted = f"{outside} samples have an answer outside the vocabulary of train and count as wrong" * bool(outside)
        notes = tuple(note for note in (noted, self.note(samples)) if note)
        return Report(scores[-1].name, tuple(scores), notes)

    def names(self, target: Target) -> list[str]:
        if type(target) is not int or not OUTSIDE <= target < len(self.classes):
            raise ValueError(f"a class is a whole number from 0 to {len(self.classes) - 1}, or {OUTSIDE}, got {target}")
        return [OUTSIDE_NAME if target == OUTSIDE else self.classes[target]]

    def right(self, sample: Sample) -> dict[str, Any]:
        return {self.field: self._truth(sample), "probability": 1.0}

    def trivial(self, samples: Sequence[Sample]) -> Predictions:
        answers = zip(samples, self._always(samples)[0], strict=True)
        return {sample.id: {self.field: answer, "probability": 1.0} for sample, answer in answers}

    def _truth(self, sample: Sample) -> str:
        (name,) = self.names(sample.target)
        return sample.labels[-1] if name == OUTSIDE_NAME and sample.labels else name

    def _always(self, samples: Sequence[Sample]) -> tuple[list[str], str]:
        """The most frequent class of each sample's cell, of several the first; and what that answer is called."""
        truth = [self._truth(sample) for sample in samples]
        return most_frequent(truth, [self.cell(sample) if self.cell else () for sample in samples])
