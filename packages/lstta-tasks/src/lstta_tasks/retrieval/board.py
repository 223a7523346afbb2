"""All clips and all texts of a split against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lstta_tasks.answers.report import DivergedError
from lstta_tasks.retrieval.ranks import Scores, ranks, reranked, top
from lstta_tasks.sample import Predictions, Sample

DIVERGED = "the training has diverged; lower the learning rate"


def pair_id(text: str, clip: str) -> str:
    """The id of a sample of the second pass: a text with a clip that may not be its own."""
    return f"{text} | {clip}"


class Board:
    """The similarities of a split, and what follows from them.

    A clip counts once, however many texts it has; its embedding is that of its first sample.

    Args:
        predictions: with the embeddings ``clip`` and ``text``, (E,) each, and ``scale``, by sample id.
        samples: of the split; those without a prediction are left out.

    Attributes:
        samples: one a text, T of them.
        clips: the first sample of each of the V clips.
        similarity: (T, V), the cosine of text and clip.
        scale: that the second pass's scores are to be added to it with.
        owner: (T,), which clip each text is about.

    Raises:
        ValueError: an embedding is not finite.
    """

    def __init__(self, predictions: Predictions, samples: Sequence[Sample]) -> None:
        self.samples = [sample for sample in samples if sample.id in predictions]
        first: dict[str, Sample] = {}
        for sample in self.samples:
            first.setdefault(sample.source.id, sample)
        self.clips = list(first.values())
        place = {clip: i for i, clip in enumerate(first)}
        self.owner = np.array([place[sample.source.id] for sample in self.samples])
        texts = _stacked(predictions, self.samples, "text")
        self.scale = float(predictions[self.samples[0].id]["scale"])
        self.similarity: Scores = texts @ _stacked(predictions, self.clips, "clip").T

    @property
    def own(self) -> NDArray[np.bool_]:
        """(T, V), whether a text is about a clip."""
        return self.owner[:, None] == np.arange(len(self.clips))

    def dual(self) -> tuple[Scores, Scores]:
        """(T, V) and (V, T): the similarities."""
        return self.similarity, self.similarity.T

    def ranks(self, by_text: Scores, by_clip: Scores) -> list[tuple[int, int]]:
        """For each text the rank of its clip and that of its clip's best text, given scores (T, V) and (V, T)."""
        of_clip, of_text = ranks(by_text, self.own), ranks(by_clip, self.own.T)
        return [(int(rank), int(of_text[clip])) for rank, clip in zip(of_clip, self.owner, strict=True)]

    def pairs(self, count: int) -> list[Sample]:
        """The ``count`` best clips of each text and texts of each clip, as samples of a second pass, clip by clip."""
        return [
            Sample(
                id=pair_id(self.samples[text].id, self.clips[clip].source.id),
                source=self.clips[clip].source,
                text=self.samples[text].text,
                target=clip,
            )
            for clip, text in self._places(count)
        ]

    def reranked(self, scores: Mapping[str, float], count: int) -> tuple[Scores, Scores]:
        """(T, V) and (V, T): the orders that a second pass leaves, as scores.

        Args:
            scores: of the samples of :meth:`pairs`, by id: what is added to the scaled similarity.
            count: as there.

        Raises:
            DivergedError: a score is not finite.
        """
        second = np.full(self.similarity.shape, np.nan)
        for clip, text in self._places(count):
            added = scores[pair_id(self.samples[text].id, self.clips[clip].source.id)]
            second[text, clip] = self.scale * self.similarity[text, clip] + added
            if not np.isfinite(second[text, clip]):
                raise DivergedError(f"the match score of text {self.samples[text].id} is not finite: {DIVERGED}")
        return _in_new_order(self.similarity, second, count), _in_new_order(self.similarity.T, second.T, count)

    def _places(self, count: int) -> list[tuple[int, int]]:
        """Clip and text of each pair, in order."""
        of_texts = {(int(clip), text) for text, row in enumerate(top(self.similarity, count)) for clip in row}
        of_clips = {(clip, int(text)) for clip, row in enumerate(top(self.similarity.T, count)) for text in row}
        return sorted(of_texts | of_clips)


def _in_new_order(first: Scores, second: Scores, count: int) -> Scores:
    items = top(first, count)
    return reranked(first, items, np.take_along_axis(second, items, 1))


def _stacked(predictions: Predictions, samples: Sequence[Sample], kind: str) -> Scores:
    vectors = np.stack([predictions[sample.id][kind] for sample in samples]).astype(np.float64)
    finite = np.isfinite(vectors).all(1)
    if not finite.all():
        raise DivergedError(
            f"the {kind} embedding of sample {samples[int(np.argmin(finite))].id} is not finite: {DIVERGED}"
        )
    return vectors
