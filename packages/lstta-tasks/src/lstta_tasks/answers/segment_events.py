"""Several labels in every segment, heard and seen apart; learnt from labels of the clip where there are no others.

Pooling and losses are those of audio-visual video parsing (Tian, Li and Xu, "Unified Multisensory Perception:
Weakly-Supervised Audio-Visual Video Parsing", ECCV 2020: attentive MMIL pooling, individual guided learning, label
smoothing), as its public code has them; scores are in ``event_scores``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.attention import masked_softmax
from lstta_core.interfaces import Modality
from lstta_tasks.answers.description import Answer
from lstta_tasks.answers.each_segment import EachSegment, spans_in_words
from lstta_tasks.answers.event_scores import NAMES, Mask, event_scores, spans
from lstta_tasks.answers.outcome import Outcome
from lstta_tasks.answers.report import Report, Score, answered
from lstta_tasks.answers.several_labels import NONE, f1
from lstta_tasks.sample import Predictions, Sample, Target
from lstta_tasks.segment_network import OfSegments

SIDES = ("audio", "visual")
WORDS = {"audio": "sound", "visual": "sight"}
LEAST = 1e-7
"""Nearest to 0 and 1 that a probability comes, where its logarithm is taken."""
SMOOTHED = (0.0, 0.1)
"""How much of a clip's labels is shared out between yes and no, for sound and for sight: the paper's."""
OPEN = -1
"""In place of 0 or 1, in a row whose segment counts nowhere."""


class Pooled(NamedTuple):
    """Probabilities of labels.

    Attributes:
        each: (B, T, 2, L), of each segment, heard and seen; 0 where there is nothing to hear, or to see.
        alone: (B, 2, L), of the clip, by its sound alone and by its sight alone.
        clip: (B, L), of the clip.
    """

    each: Tensor
    alone: Tensor
    clip: Tensor


@final
class SegmentEvents(EachSegment):
    """Which labels are heard and which are seen in every segment, any number of them.

    A target has T rows of 2 L numbers, the labels that are heard and then those that are seen: 1, 0, or :data:`OPEN`
    throughout a row that counts nowhere. Where only the labels of the clip are known it is one row of L numbers.

    Attentive pooling over segments and over sound and sight makes the clip's labels of the segments'. The loss is the
    cross-entropy of those and of what sound and sight say alone, each against the labels of the clip; where labels of
    segments are known, theirs is added. Said of a segment is what is likelier than not there and in the clip.

    Args:
        labels: L names.
        segments: how many rows a target has.
    """

    readings = ((Modality.AUDIO,), (Modality.VISUAL,))

    def __init__(self, labels: Sequence[str], *, segments: int) -> None:
        self.labels, self.segments = tuple(labels), segments

    def head(self, width: int) -> nn.Module:
        """To 3 L numbers: whether a label is there, how much this segment counts, and how much this side of it."""
        return nn.Linear(width, 3 * len(self.labels))

    def at(self, target: Target, rows: Sequence[int]) -> Target:
        given = self._rows(target)
        if given is None:
            return target
        left_open = (OPEN,) * (2 * len(self.labels))
        return tuple(tuple(given[row]) if row < len(given) else left_open for row in rows)

    def pooled(self, output: OfSegments) -> Pooled:
        """Attentive multimodal multiple-instance pooling; a side that a clip lacks has no part in it."""
        there, share, side = output.logits.float().chunk(3, -1)
        seen = output.seen[..., None].expand_as(there)
        over_time = masked_softmax(share.transpose(1, 3), seen.transpose(1, 3)).transpose(1, 3)
        over_sides = masked_softmax(side.transpose(2, 3), seen.transpose(2, 3)).transpose(2, 3)
        each = there.sigmoid() * seen
        weighed = over_time * each
        return Pooled(each, weighed.sum(1), (weighed * over_sides).sum((1, 2)))

    def loss(self, output: OfSegments, target: Tensor) -> Tensor:
        """The mean of :meth:`losses` over the batch, given targets (B, L), or (B, T, 2 L)."""
        return self._each_loss(output, target).mean()

    def losses(self, output: OfSegments, target: Tensor) -> tuple[Tensor, Tensor]:
        """The sum of all its terms for each clip; what a clip has no sound or no pictures for is left out of it."""
        losses = self._each_loss(output, target)
        return losses, torch.ones_like(losses)

    def _each_loss(self, output: OfSegments, target: Tensor) -> Tensor:
        found, labels = self.pooled(output), target.float()
        extra: Tensor | float = 0.0
        if target.ndim == 3:
            if target.shape[1] != output.logits.shape[1]:
                raise ValueError(
                    f"clips have {output.logits.shape[1]} segments (clips.segments), the targets {target.shape[1]}: a "
                    "row a segment is wanted"
                )
            rows = target.unflatten(-1, (2, -1))
            counted = (rows != OPEN) & output.seen[..., None]
            logits = output.logits[..., : len(self.labels)].float()
            each = F.binary_cross_entropy_with_logits(logits, rows.clamp(min=0).float(), reduction="none") * counted
            extra = each.sum((1, 2, 3)) / counted.sum((1, 2, 3)).clamp(min=1)
            labels = (rows == 1).any(1).any(1).float()
        smoothed = labels.new_tensor(SMOOTHED)[:, None]
        wanted = labels[:, None] * (1 - smoothed) + smoothed / 2
        guided = _cross_entropy(found.alone, wanted) * output.seen.any(1)
        return _cross_entropy(found.clip, labels) + guided.sum(1) + extra

    def predict(self, output: OfSegments) -> list[dict[str, Any]]:
        """``audio`` and ``visual``: [label, first segment, the one behind the last] of each event; ``unseen``: segments
        of which there is nothing to hear or to see."""
        found = self.pooled(output)
        on = ((found.each >= 0.5) & (found.clip >= 0.5)[:, None, None]).permute(0, 2, 3, 1).cpu().numpy()
        unseen = [np.flatnonzero(~row).tolist() for row in output.seen.any(2).cpu().numpy()]
        return [{**self._spans(mask), "unseen": places} for mask, places in zip(on, unseen, strict=True)]

    def describe(self, output: OfSegments) -> list[Answer]:
        """Which labels are heard and seen in which segments, and the probability of each in each, 0 where it is not
        said of the clip at all."""
        found = self.pooled(output)
        by_clip = (found.each * (found.clip >= 0.5)[:, None, None]).permute(0, 3, 2, 1).tolist()
        answers = []
        for said, labels in zip(self.predict(output), by_clip, strict=True):
            rows = {
                f"{name}, {WORDS[side]}": row
                for name, sides in zip(self.labels, labels, strict=True)
                for side, row in zip(SIDES, sides, strict=True)
            }
            ordered = dict(sorted(rows.items(), key=lambda one: -max(one[1])))
            answers.append(Answer(self.in_words(said), segments=ordered))
        return answers

    def report(self, predictions: Predictions, samples: Sequence[Sample]) -> Report:
        """The F-scores of ``event_scores``, of which selection goes by ``segment/Type@AV``; of clips whose segments
        have no labels, F1 over all pairs of clips and labels. The baselines say one label everywhere.
        """
        samples, answers = answered(predictions, samples)
        trivial = self.trivial(samples)
        if self._rows(samples[0].target) is None:
            true = {(sample.id, label) for sample in samples for label in self.names(sample.target) if label != NONE}
            said, guessed = (
                {(s.id, label) for s, one in zip(samples, some, strict=True) for label in _labels(one)}
                for some in (answers, trivial.values())
            )
            score = Score("clip/F1", f1(said, true), len(samples), f1(guessed, true), "one label")
            return Report(score.name, (score,), ("clips of this split have labels, and their segments none",))
        value, baseline = (self._scores(some, samples) for some in (answers, list(trivial.values())))
        rows = zip(NAMES, value, baseline, strict=True)
        named = "one label"
        return Report("segment/Type@AV", tuple(Score(name, v, len(samples), b, named) for name, v, b in rows))

    def names(self, target: Target) -> list[str]:
        rows = self._rows(target)
        if rows is None:
            given = list(target) if isinstance(target, Sequence) else []
            return [label for label, on in zip(self.labels, given, strict=True) if on] or [NONE]
        on = [any(row[place] == 1 for row in rows) for place in range(2 * len(self.labels))]
        halves = zip(self.labels, on, on[len(self.labels) :], strict=False)
        return [label for label, heard, seen in halves if heard or seen] or [NONE]

    def outcome(self, sample: Sample, prediction: Mapping[str, Any]) -> Outcome:
        if self._rows(sample.target) is None:
            return Outcome([name for name in self.names(sample.target) if name != NONE], _labels(prediction))
        truth, said = ({side: one[side] for side in SIDES} for one in (self.right(sample), prediction))
        return Outcome(truth, said)

    def right(self, sample: Sample) -> dict[str, Any]:
        rows = self._rows(sample.target)
        if rows is None:
            row = [[name, 0, self.segments] for name in self.names(sample.target) if name != NONE]
            return {"audio": row, "visual": row, "unseen": []}
        mask = np.array(rows).reshape(len(rows), 2, -1).transpose(1, 2, 0) == 1
        return {**self._spans(mask), "unseen": []}

    def trivial(self, samples: Sequence[Sample]) -> Predictions:
        times: Counter[str] = Counter()
        for sample in samples:
            for side in SIDES:
                for label, start, end in self.right(sample)[side]:
                    times[label] += end - start
        rows = self._rows(samples[0].target)
        said = [[label, 0, self.segments if rows is None else len(rows)] for label, _ in times.most_common(1)]
        return {sample.id: {"audio": said, "visual": said, "unseen": []} for sample in samples}

    def in_words(self, said: Mapping[str, Any]) -> str:
        parts = [f"{WORDS[side]}: {spans_in_words(said[side])}" for side in SIDES if said[side]]
        return " · ".join(parts) or NONE

    def _scores(self, answers: Sequence[Mapping[str, Any]], samples: Sequence[Sample]) -> list[float]:
        length = len(self._rows(samples[0].target) or ())
        said = np.stack([self._mask(answer, length) for answer in answers])
        true = np.stack([self._mask(self.right(sample), length) for sample in samples])
        open_ = np.array([[OPEN in row for row in self._rows(sample.target) or ()] for sample in samples])
        for place, answer in enumerate(answers):
            open_[place, answer["unseen"]] = True
        counted = ~open_[:, None, None]
        return [float(score) for score in event_scores(said & counted, true & counted).mean(0)]

    def _mask(self, said: Mapping[str, Any], segments: int) -> Mask:
        """(2, L, T) of spans."""
        mask = np.zeros((2, len(self.labels), segments), np.bool_)
        for place, side in enumerate(SIDES):
            for label, start, end in said[side]:
                mask[place, self.labels.index(label), start:end] = True
        return mask

    def _spans(self, mask: Mask) -> dict[str, Any]:
        """The inverse of :meth:`_mask`."""
        return {
            side: [[label, *span] for label, row in zip(self.labels, rows, strict=True) for span in spans(row)]
            for side, rows in zip(SIDES, mask, strict=True)
        }

    def _rows(self, target: Target) -> list[list[int]] | None:
        """The rows of a target; None of one that has the clip's labels alone."""
        given = list(target) if isinstance(target, Sequence) else []
        weak = bool(given) and not isinstance(given[0], Sequence)
        rows: list[Any] = [given] if weak else given
        wide, allowed = (1, {0, 1}) if weak else (2, {0, 1, OPEN})
        if not rows or not all(len(row) == wide * len(self.labels) and set(row) <= allowed for row in rows):
            raise ValueError(
                f"a row of {len(self.labels)} numbers is wanted, each 0 or 1, or a row of {2 * len(self.labels)} for "
                f"each segment, got {target!r:.80}"
            )
        return None if weak else [list(row) for row in rows]


def _labels(said: Mapping[str, Any]) -> list[str]:
    """The labels that are said of any segment, each once."""
    return list(dict.fromkeys(label for side in SIDES for label, *_ in said[side]))


def _cross_entropy(probability: Tensor, wanted: Tensor) -> Tensor:
    """(…, L) to (…): the mean over labels. Pooling may give more than 1, which counts as 1, as in the paper's code."""
    sure = probability.clamp(LEAST, 1 - LEAST)
    return -(wanted * sure.log() + (1 - wanted) * (1 - sure).log()).mean(-1)
