"""One of some classes in every segment, background among them: cross-entropy, and accuracy over segments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, final

import torch.nn.functional as F
from torch import Tensor, nn

from lstta_tasks.answers.class_metrics import accuracy, macro_f1, majority
from lstta_tasks.answers.description import Answer
from lstta_tasks.answers.each_segment import EachSegment, runs, spans_in_words
from lstta_tasks.answers.outcome import Outcome
from lstta_tasks.answers.report import Report, Score, answered
from lstta_tasks.answers.shaped_loss import OUTSIDE, Loss, cross_entropy
from lstta_tasks.sample import Predictions, Sample, Target
from lstta_tasks.segment_network import OfSegments


@final
class SegmentClass(EachSegment):
    """One of some classes in every segment.

    A target is a row of T classes; :data:`~lstta_tasks.answers.shaped_loss.OUTSIDE` is the class of a segment that has
    none, such as one behind the annotation's end. Segments without a class, and those of which there is nothing to see
    or to hear, have no loss and are not counted.

    Args:
        classes: their names, in the order of targets and logits.
        segments: how many rows a target has.
        background: the class of segments in which nothing happens, of which accuracy is told apart.
    """

    def __init__(self, classes: Sequence[str], *, segments: int, background: str) -> None:
        self.classes, self.segments, self.background = tuple(classes), segments, background

    def head(self, width: int) -> nn.Module:
        return nn.Linear(width, len(self.classes))

    def at(self, target: Target, rows: Sequence[int]) -> Target:
        given = _row(target)
        return tuple(given[row] if row < len(given) else OUTSIDE for row in rows)

    def loss(self, output: OfSegments, target: Tensor) -> Tensor:
        """The mean cross-entropy over all segments of the batch that count; 0 where none does.

        Args:
            output: of logits (B, T, 1, C).
            target: (B, T).
        """
        return self.shaped(None, 0.0)(output, target)

    def losses(self, output: OfSegments, target: Tensor) -> tuple[Tensor, Tensor]:
        """Of each clip the mean over its segments that count, and how many those are."""
        logits, counted = output.logits[:, :, 0].float().flatten(0, 1), _counted(output, target)
        each = F.cross_entropy(logits, counted.flatten(), ignore_index=OUTSIDE, reduction="none").view_as(counted)
        number = (counted != OUTSIDE).sum(1)
        return each.sum(1) / number.clamp(min=1), number.float()

    def shaped(self, class_weights: Sequence[float] | None, label_smoothing: float) -> Loss:
        def loss(output: OfSegments, target: Tensor) -> Tensor:
            logits, counted = output.logits[:, :, 0].flatten(0, 1), _counted(output, target).flatten()
            return cross_entropy(logits, counted, class_weights, label_smoothing)

        return loss

    def predict(self, output: OfSegments) -> list[dict[str, Any]]:
        """The likeliest class of each segment, and its ``probability``; None and 0 of one that counts nowhere."""
        probabilities, best = output.logits[:, :, 0].float().softmax(-1).max(-1)
        seen, given = output.seen[:, :, 0].tolist(), probabilities.tolist()
        return [
            {
                "segments": [self.classes[i] if there else None for i, there in zip(row, sees, strict=True)],
                "probability": [p if there else 0.0 for p, there in zip(ps, sees, strict=True)],
            }
            for row, ps, sees in zip(best.tolist(), given, seen, strict=True)
        ]

    def describe(self, output: OfSegments) -> list[Answer]:
        """Which classes are in which segments, and the probability of every one in each segment."""
        answers = []
        by_clip = output.logits[:, :, 0].float().softmax(-1).mul(output.seen).transpose(1, 2).tolist()
        for said, rows in zip(self.predict(output), by_clip, strict=True):
            times = Counter(said["segments"])
            named = [(times[name], max(row), name, row) for name, row in zip(self.classes, rows, strict=True)]
            named.sort(key=lambda one: (-one[0], -one[1]))
            answers.append(Answer(self.in_words(said), segments={name: row for *_, name, row in named}))
        return answers

    def report(self, predictions: Predictions, samples: Sequence[Sample]) -> Report:
        """Accuracy over all segments that count, which selection goes by, of events and of background apart; the macro
        F1 of the classes. A row's count is that of clips. The baselines are of one class for all segments.
        """
        samples, answers = answered(predictions, samples)
        said = [name for answer in answers for name in answer["segments"]]
        truth = [name for sample in samples for name in self._truth(sample)]
        pairs = [(t, s) for t, s in zip(truth, said, strict=True) if t is not None and s is not None]
        if not pairs:
            raise ValueError(f"none of {len(samples)} clips has a segment that can be counted: with a class, and seen")
        most = majority([t for t, _ in pairs])
        groups = {
            "accuracy/events": [(t, s) for t, s in pairs if t != self.background],
            "accuracy/background": [(t, s) for t, s in pairs if t == self.background],
            "macro_f1": pairs,
            "accuracy": pairs,
        }
        scores = []
        for name, some in groups.items():
            metric = macro_f1 if name == "macro_f1" else accuracy
            if some:
                true, found = zip(*some, strict=True)
                value, trivial = metric(true, found), metric(true, [most] * len(true))
                scores.append(Score(name, value, len(samples), trivial, f"always {most}"))
        return Report("accuracy", tuple(scores), (f"counted over {len(pairs):,} segments",))

    def names(self, target: Target) -> list[str]:
        return [self.classes[place] for place in _row(target, len(self.classes)) if place != OUTSIDE]

    def outcome(self, sample: Sample, prediction: Mapping[str, Any]) -> Outcome:
        return Outcome({"segments": self._truth(sample)}, {"segments": prediction["segments"]})

    def right(self, sample: Sample) -> dict[str, Any]:
        truth = self._truth(sample)
        return {"segments": truth, "probability": [float(name is not None) for name in truth]}

    def trivial(self, samples: Sequence[Sample]) -> Predictions:
        most = majority([name for sample in samples for name in self.names(sample.target)])
        lengths = {sample.id: len(_row(sample.target)) for sample in samples}
        return {name: {"segments": [most] * n, "probability": [1.0] * n} for name, n in lengths.items()}

    def in_words(self, said: Mapping[str, Any]) -> str:
        return spans_in_words(span for span in runs(said["segments"]) if span[0] != self.background) or self.background

    def _truth(self, sample: Sample) -> list[str | None]:
        places = _row(sample.target, len(self.classes))
        return [None if place == OUTSIDE else self.classes[place] for place in places]


def _counted(output: OfSegments, target: Tensor) -> Tensor:
    """The targets (B, T) of segments of which there is something to see or to hear, no class of others."""
    if target.shape != output.seen.shape[:2]:
        raise ValueError(
            f"clips have {output.seen.shape[1]} segments (clips.segments), the targets {tuple(target.shape[1:])}: a "
            "row a segment is wanted"
        )
    return target.where(output.seen[:, :, 0], OUTSIDE)


def _row(target: Target, classes: int | None = None) -> list[int]:
    """A target as a list of whole numbers, classes or :data:`OUTSIDE`."""
    row: list[Any] = list(target) if isinstance(target, Sequence) else []
    if not row or not all(type(place) is int and OUTSIDE <= place < (classes or place + 1) for place in row):
        raise ValueError(f"a row of classes is wanted, each a whole number from {OUTSIDE} on, got {target!r:.80}")
    return row
