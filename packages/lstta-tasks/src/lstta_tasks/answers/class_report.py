"""What is said of answers that are one of many classes: names, accuracies, and what the trivial answer reaches."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Literal

from torch import Tensor

from lstta_tasks.answers.class_metrics import accuracy, by_class, macro_f1, most_frequent, weighted_f1
from lstta_tasks.answers.description import Answer, likeliest
from lstta_tasks.answers.kind import OUTSIDE_NAME, AnswerKind
from lstta_tasks.answers.outcome import Outcome
from lstta_tasks.answers.report import Report, Score, answered
from lstta_tasks.answers.shaped_loss import OUTSIDE
from lstta_tasks.sample import Predictions, Sample, Target

Group = tuple[str, ...]


class ClassReport(AnswerKind):
    """The part of :class:`~lstta_tasks.answers.one_of_many.OneOfMany` that does not train; attributes are as there."""

    classes: tuple[str, ...]
    field: str
    groups: Callable[[Sample], Sequence[Group]] | None
    cell: Callable[[Sample], Hashable] | None
    per_class: Literal["recall", "f1"] | None
    note: Callable[[Sequence[Sample]], str]

    def predict(self, output: Tensor) -> list[dict[str, Any]]:
        """The likeliest class of each row of logits (B, C), and its ``probability``."""
        probabilities, best = output.float().softmax(-1).max(-1)
        pairs = zip(best.tolist(), probabilities.tolist(), strict=True)
        return [{self.field: self.classes[i], "probability": p} for i, p in pairs]

    def describe(self, output: Tensor) -> list[Answer]:
        """The likeliest class, and the probability of every one."""
        return [likeliest(dict(zip(self.classes, row, strict=True))) for row in output.float().softmax(-1).tolist()]

    def report(self, predictions: Predictions, samples: Sequence[Sample]) -> Report:
        """Accuracy of each group and of all: right answers over samples, no mean of means; macro and weighted F1."""
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
        metrics = {"macro_f1": macro_f1, "weighted_f1": weighted_f1}
        f1 = [Score(n, m(truth, said), len(truth), m(truth, always), baseline) for n, m in metrics.items()]
        of_all = [] if self.per_class == "f1" else [scores.pop()]
        scores += [*f1, *of_all]  # selection goes by the last
        outside = sum(sample.target == OUTSIDE for sample in samples)
        noted = f"{outside} samples have an answer outside the vocabulary of train and count as wrong" * bool(outside)
        notes = tuple(note for note in (noted, self.note(samples)) if note)
        return Report(scores[-1].name, tuple(scores), notes)

    def names(self, target: Target) -> list[str]:
        if type(target) is not int or not OUTSIDE <= target < len(self.classes):
            raise ValueError(f"a class is a whole number from 0 to {len(self.classes) - 1}, or {OUTSIDE}, got {target}")
        return [OUTSIDE_NAME if target == OUTSIDE else self.classes[target]]

    def outcome(self, sample: Sample, prediction: Mapping[str, Any]) -> Outcome:
        return Outcome(self._truth(sample), prediction[self.field], prediction["probability"])

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
