"""Yes or no: one logit and binary cross-entropy; accuracy, and recall of both sides or the F1 of yes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_tasks.answers.class_metrics import accuracy, f1_by_class, macro_f1, majority, weighted_f1
from lstta_tasks.answers.description import Answer, likeliest
from lstta_tasks.answers.kind import AnswerKind
from lstta_tasks.answers.outcome import Outcome
from lstta_tasks.answers.report import Report, Score, answered
from lstta_tasks.answers.shaped_loss import Loss, cross_entropy
from lstta_tasks.sample import Predictions, Sample, Target


@final
class YesOrNo(AnswerKind):
    """One of two sides; targets are 1 and 0.

    Args:
        yes: what the side of 1 is called; predictions say it is so, or not, in a field of this name.
        no: what the other is called.
        per_class: ``"recall"`` for that of each side, ``"f1"`` for that of ``yes``; next to accuracy.
    """

    def __init__(self, yes: str, no: str, *, per_class: Literal["recall", "f1"] = "recall") -> None:
        self.yes, self.no, self.per_class = yes, no, per_class
        self.classes = (no, yes)

    def head(self, width: int) -> nn.Module:
        """To one logit, of ``yes``."""
        return nn.Linear(width, 1)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Binary cross-entropy of logits (B, 1) and targets (B,)."""
        return F.binary_cross_entropy_with_logits(output.squeeze(-1), target.to(output.dtype))

    def losses(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        logits = output.float().squeeze(-1)
        losses = F.binary_cross_entropy_with_logits(logits, target.to(logits.dtype), reduction="none")
        return losses, torch.ones_like(losses)

    def shaped(self, class_weights: Sequence[float] | None, label_smoothing: float) -> Loss:
        """Of both sides' logits, of which that of ``no`` is 0."""

        def loss(output: Tensor, target: Tensor) -> Tensor:
            both = torch.cat([torch.zeros_like(output), output], dim=-1)
            return cross_entropy(both, target, class_weights, label_smoothing)

        return loss

    def predict(self, output: Tensor) -> list[dict[str, Any]]:
        """``yes`` where its probability is at least one half, and the probability."""
        return [{self.yes: p >= 0.5, "probability": p} for p in output.float().squeeze(-1).sigmoid().tolist()]

    def describe(self, output: Tensor) -> list[Answer]:
        return [likeliest({self.yes: p, self.no: 1 - p}) for p in output.float().squeeze(-1).sigmoid().tolist()]

    def report(self, predictions: Predictions, samples: Sequence[Sample]) -> Report:
        """Accuracy, which selection goes by, after the recall of both sides or the F1 of ``yes``, and the
        macro and the weighted F1 of both.

        The baselines are those of one answer to all of these very samples: the more frequent one for accuracy, ``yes``
        for its F1.
        """
        samples, answers = answered(predictions, samples, "probability")
        truth, said = [self._truth(sample) for sample in samples], [bool(answer[self.yes]) for answer in answers]
        most, count = majority(truth), len(truth)
        if self.per_class == "f1":
            scores = [Score("f1", _f1(truth, said), count, _f1(truth, [True] * count), self._always(True))]
        else:
            by_side = {side: [s for t, s in zip(truth, said, strict=True) if t == side] for side in (True, False)}
            names = {True: self.yes, False: self.no}
            scores = [Score(names[t], s.count(t) / len(s), len(s)) for t, s in by_side.items() if s]
        always, baseline = [most] * count, self._always(most)
        metrics = {"macro_f1": macro_f1, "weighted_f1": weighted_f1, "accuracy": accuracy}
        scores += [Score(n, m(truth, said), count, m(truth, always), baseline) for n, m in metrics.items()]
        return Report("accuracy", tuple(scores))

    def names(self, target: Target) -> list[str]:
        if target not in (0, 1):
            raise ValueError(f"0 or 1 is wanted, got {target!r}")
        return [self.yes if target else self.no]

    def outcome(self, sample: Sample, prediction: Mapping[str, Any]) -> Outcome:
        said, p = bool(prediction[self.yes]), prediction["probability"]
        (truth,) = self.names(sample.target)
        return Outcome(truth, self.yes if said else self.no, p if said else 1 - p)

    def right(self, sample: Sample) -> dict[str, Any]:
        return self._prediction(self._truth(sample))

    def trivial(self, samples: Sequence[Sample]) -> Predictions:
        most = majority([self._truth(sample) for sample in samples])
        return {sample.id: self._prediction(most) for sample in samples}

    def _prediction(self, yes: bool) -> dict[str, Any]:
        return {self.yes: yes, "probability": float(yes)}

    def _always(self, side: bool) -> str:
        if side:
            return f"always {self.yes}"
        return f"never {self.yes}" if self.no == f"not {self.yes}" else f"always {self.no}"

    def _truth(self, sample: Sample) -> bool:
        return self.names(sample.target) == [self.yes]


def _f1(truth: Sequence[bool], said: Sequence[bool]) -> float:
    return f1_by_class(truth, said).get(True, 0.0)
