"""An answer in words, which the language encoder says itself: cross-entropy on the answer alone, and text metrics."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Literal, final

import torch
from torch import Tensor, nn

from lstta_core.generation import Decoding
from lstta_core.interfaces import Modality
from lstta_tasks.answers.class_report import Group
from lstta_tasks.answers.description import Answer
from lstta_tasks.answers.kind import AnswerKind
from lstta_tasks.answers.outcome import Outcome
from lstta_tasks.answers.report import Report, Score, answered
from lstta_tasks.answers.text_metrics import caption_scores, normal
from lstta_tasks.network import TaskNetwork, Tower
from lstta_tasks.sample import Predictions, Sample, Target
from lstta_tasks.speaking_network import SpeakingNetwork, Spoken

NOTHING = "(nothing)"
Metrics = Literal["captions", "exact"]
TextMetrics = Callable[[Sequence[str], Sequence[Sequence[str]]], Mapping[str, float]]


@final
class Words(AnswerKind):
    """Words. What is right is in a sample's ``answers``; its target is 0.

    Args:
        metrics: ``"captions"`` for CIDEr-D, which selection goes by, BLEU and ROUGE-L; ``"exact"`` for the share of
            answers that are one of the right ones, by group.
        decoding: how an answer is made.
        groups: the groups of a sample that have a share of their own, next to ``overall``.
        cell: within what the trivial answer is the most frequent one; by default all samples.
        beside: further metrics of captions, given texts and what is right for each.
    """

    words = True

    def __init__(
        self,
        *,
        metrics: Metrics,
        decoding: Decoding,
        groups: Callable[[Sample], Sequence[Group]] | None = None,
        cell: Callable[[Sample], Hashable] = lambda sample: None,
        beside: TextMetrics = lambda texts, answers: {},
    ) -> None:
        self.metrics, self.decoding, self.groups, self.cell, self.beside = metrics, decoding, groups, cell, beside

    def towers(self, modalities: Sequence[Modality]) -> dict[str, Sequence[Modality]]:
        if Modality.LANGUAGE not in modalities:
            raise ValueError(f"answers in words want a language encoder that speaks, got {', '.join(modalities)}")
        return {"trimodal": modalities}

    def network(self, towers: Mapping[str, Tower]) -> TaskNetwork:
        return SpeakingNetwork(towers["trimodal"].trimodal, self.decoding)

    def head(self, width: int) -> nn.Module:
        """None: the language model's own is it."""
        return nn.Identity()

    def loss(self, output: Spoken, target: Tensor) -> Tensor:
        """The mean over all tokens of the batch's answers."""
        return (output.losses * output.counts).sum() / output.counts.sum().clamp(min=1)

    def losses(self, output: Spoken, target: Tensor) -> tuple[Tensor, Tensor]:
        """Of each answer the mean over its tokens, and how many those are."""
        return output.losses.float(), output.counts.float()

    def predict(self, output: Spoken) -> list[dict[str, Any]]:
        """The text that was said, and the log-probability of its tokens."""
        return [{"text": said.text, "score": said.score} for said in output.said]

    def describe(self, output: Spoken) -> list[Answer]:
        words = output.words or ((),) * len(output.said)
        return [Answer(said.text or NOTHING, words=some) for said, some in zip(output.said, words, strict=True)]

    def names(self, target: Target) -> list[str]:
        """Nothing: what is right is no target."""
        if target != 0:
            raise ValueError(f"what is right stands in answers, so a target is 0, got {target!r}")
        return []

    def right(self, sample: Sample) -> dict[str, Any]:
        return {"text": sample.answers[0], "score": 0.0}

    def outcome(self, sample: Sample, prediction: Any) -> Outcome:
        return Outcome(sample.answers[0], prediction["text"])

    def trivial(self, samples: Sequence[Sample]) -> Predictions:
        """Of each cell the most frequent first answer, of equals the one that comes first."""
        times: dict[Hashable, Counter[str]] = defaultdict(Counter)
        for sample in samples:
            times[self.cell(sample)][sample.answers[0]] += 1
        most = {cell: counted.most_common(1)[0][0] for cell, counted in times.items()}
        return {sample.id: {"text": most[self.cell(sample)], "score": 0.0} for sample in samples}

    def report(self, predictions: Predictions, samples: Sequence[Sample]) -> Report:
        asked, said = answered(predictions, samples)
        texts = [one["text"] for one in said]
        trivial = [one["text"] for one in self.trivial(asked).values()]
        scores = [Score("exact", _exact(texts, asked), len(asked), _exact(trivial, asked), "most frequent")]
        if self.metrics == "captions":
            right = [sample.answers for sample in asked]
            first, last = (self._compared(metric, texts, trivial, right) for metric in (caption_scores, self.beside))
            return Report("CIDEr-D", (*first, *scores, *last))
        rows: dict[Group, list[int]] = defaultdict(list)
        for place, sample in enumerate(asked):
            for group in self.groups(sample) if self.groups is not None else ():
                rows[group].append(place)
        for group, places in sorted(rows.items()):
            some = [asked[place] for place in places]
            values = (_exact([given[place] for place in places], some) for given in (texts, trivial))
            value, baseline = values
            scores.append(Score("/".join(group), value, len(some), baseline, "most frequent"))
        return Report("exact", tuple(scores))

    def _compared(
        self, metric: TextMetrics, texts: Sequence[str], trivial: Sequence[str], right: Sequence[Sequence[str]]
    ) -> list[Score]:
        reached, guessed = (metric(some, right) for some in (texts, trivial))
        return [Score(name, reached[name], len(texts), guessed[name], "one for all") for name in reached]


def _exact(texts: Sequence[str], samples: Sequence[Sample]) -> float:
    """The share of texts that are one of a sample's answers, whatever their case and punctuation."""
    hits = [
        normal(text) in {normal(answer) for answer in sample.answers}
        for text, sample in zip(texts, samples, strict=True)
    ]
    return float(torch.tensor(hits, dtype=torch.float64).mean())
