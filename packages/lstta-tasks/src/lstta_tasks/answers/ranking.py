"""A ranking: the clip of a text among all clips of a split, and the text of a clip among all texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from lstta_core.interfaces import TIMED, Modality
from lstta_tasks.answers.description import Answer
from lstta_tasks.answers.kind import AnswerKind
from lstta_tasks.answers.report import Report, Score
from lstta_tasks.network import TaskNetwork, Tower
from lstta_tasks.retrieval.board import Board
from lstta_tasks.retrieval.losses import contrastive_loss, matching_loss
from lstta_tasks.retrieval.network import Embedded, Embedder, Matcher, RetrievalNetwork
from lstta_tasks.retrieval.ranks import chance, measured, top
from lstta_tasks.sample import Predictions, Sample, Target

CUTOFFS = (1, 5, 10)
DIRECTIONS = ("text_to_video", "video_to_text")
SHOWN = 5


@final
class Ranking(AnswerKind):
    """How well a text and a clip fit. A target is a whole number that is equal for samples of the same clip.

    In *dual* mode clips (sight and sound together) and texts are embedded without each other: an index of embeddings
    answers any text. In *joint* mode a third tower, of all three modalities, ranks the best of the dual mode again.

    Args:
        embedding: E, the width of the embeddings.
        joint: whether there is a joint mode.
        rerank: how many clips of each text, and texts of each clip, the joint mode ranks again.
    """

    ranks = True

    def __init__(self, *, embedding: int = 256, joint: bool = False, rerank: int = 10) -> None:
        self.embedding, self.joint, self.rerank = embedding, joint, rerank

    def towers(self, modalities: Sequence[Modality]) -> dict[str, Sequence[Modality]]:
        timed = [m for m in modalities if m in TIMED]
        if not timed or Modality.LANGUAGE not in modalities:
            raise ValueError(
                f"a ranking needs an encoder for language and one for visual or audio, got {', '.join(modalities)}"
            )
        return {"clips": timed, "texts": [Modality.LANGUAGE], **({"matcher": modalities} if self.joint else {})}

    def network(self, towers: Mapping[str, Tower]) -> TaskNetwork:
        clips, texts = (
            Embedder(tower=towers[name], head=self.head(towers[name].readout.width)) for name in ("clips", "texts")
        )
        if not self.joint:
            return RetrievalNetwork(clips=clips, texts=texts)
        tower = towers["matcher"]
        matcher = Matcher(tower=tower, head=nn.Linear(tower.readout.width, 1))
        return RetrievalNetwork(clips=clips, texts=texts, matcher=matcher)

    def head(self, width: int) -> nn.Module:
        return nn.Linear(width, self.embedding)

    def loss(self, output: Embedded, target: Tensor) -> Tensor:
        """Of the batch, in training of all processes' batches."""
        every = target if output.target is None else output.target
        loss = contrastive_loss(output.clips, output.texts, output.scale, every)
        if output.right is None or output.wrong is None:
            return loss
        return loss + matching_loss(output.right, output.wrong)

    def predict(self, output: Embedded) -> list[dict[str, Any]]:
        """The cosine of each clip and its text, what it is scaled by, and the embeddings of both, (E,) float32."""
        clips, texts = output.clips.detach().cpu(), output.texts.detach().cpu()
        similarity = (clips * texts).sum(1).tolist()
        return [
            {"similarity": s, "scale": output.scale.item(), "clip": clip, "text": text}
            for s, clip, text in zip(similarity, clips.numpy(), texts.numpy(), strict=True)
        ]

    def describe(self, output: Embedded) -> list[Answer]:
        """The cosine of each clip and its text, or their match where the network explains one: for comparisons."""
        if output.match is not None:
            return [Answer("match", measure="match", score=score) for score in output.match.tolist()]
        cosines = (output.clips * output.texts).sum(1).tolist()
        return [Answer("cosine", measure="cosine", score=cosine) for cosine in cosines]

    def second_pass(self, predictions: Predictions, samples: Sequence[Sample]) -> list[Sample]:
        return Board(predictions, samples).pairs(self.rerank) if self.joint else []

    def conclude(self, predictions: Predictions, samples: Sequence[Sample], scores: Mapping[str, float]) -> Predictions:
        """Of each sample the rank of its clip, the rank of the best caption of its clip, and the best clips.

        Embeddings do not stay: :mod:`lstta_tasks.retrieval.index` exports them. Where there is a joint mode, the ranks
        before it are there too, as ``dual``.
        """
        board = Board(predictions, samples)
        dual = board.dual()
        orders = board.reranked(scores, self.rerank) if self.joint else dual
        ranks, before = board.ranks(*orders), board.ranks(*dual)
        best = top(orders[0], SHOWN)
        return {
            sample.id: {
                **_by_direction(ranks[row]),
                **({"dual": _by_direction(before[row])} if self.joint else {}),
                "similarity": predictions[sample.id]["similarity"],
                "top": [board.clips[clip].source.id for clip in best[row]],
            }
            for row, sample in enumerate(board.samples)
        }

    def report(self, predictions: Predictions, samples: Sequence[Sample]) -> Report:
        """R@1, R@5, R@10, the median and the mean rank, both ways; selection goes by R@1 from text to video.

        See :func:`lstta_tasks.retrieval.ranks.ranks` for ties. From video to text the best caption of the clip counts.
        """
        ranked = [sample for sample in samples if sample.id in predictions]
        captions = Counter(sample.source.id for sample in ranked)
        one_a_clip = list({sample.source.id: sample for sample in ranked}.values())
        own = np.array([captions[sample.source.id] for sample in one_a_clip])
        scores = [
            *self._scores("text_to_video", predictions, ranked, np.ones(len(ranked), np.int64), len(one_a_clip)),
            *self._scores("video_to_text", predictions, one_a_clip, own, len(ranked)),
        ]
        return Report("text_to_video/R@1", tuple(scores))

    def names(self, target: Target) -> list[str]:
        """Nothing: a target is no class."""
        if type(target) is not int or target < 0:
            raise ValueError(f"a whole number, 0 or more, equal for samples of a clip, is wanted, got {target!r}")
        return []

    def right(self, sample: Sample) -> dict[str, Any]:
        first = _by_direction((1, 1))
        dual = {"dual": first} if self.joint else {}
        return {**first, **dual, "similarity": 1.0, "top": [sample.source.id]}

    def trivial(self, samples: Sequence[Sample]) -> None:
        """None: the baseline is what a random order gives in expectation."""
        return None

    def _scores(
        self,
        direction: str,
        predictions: Predictions,
        queries: Sequence[Sample],
        own: NDArray[np.int64],
        items: int,
    ) -> list[Score]:
        """Of one direction, beside chance: ``own`` (Q,) of ``items`` belong to each query."""
        guessed, count = chance(own, items, CUTOFFS), len(queries)
        reached = measured(np.array([predictions[query.id][direction] for query in queries]), CUTOFFS)
        scores = [Score(f"{direction}/R@{k}", reached.recall[k], count, guessed.recall[k], "chance") for k in CUTOFFS]
        if self.joint:
            dual = measured(np.array([predictions[query.id]["dual"][direction] for query in queries]), CUTOFFS)
            scores.append(Score(f"{direction}/R@1 of dual", dual.recall[1], count, guessed.recall[1], "chance"))
        pairs = {"MdR": (reached.median, guessed.median), "MnR": (reached.mean, guessed.mean)}
        return scores + [
            Score(f"{direction}/{name}", value, count, baseline, "chance", lower_is_better=True)
            for name, (value, baseline) in pairs.items()
        ]


def _by_direction(ranks: tuple[int, int]) -> dict[str, int]:
    return dict(zip(DIRECTIONS, ranks, strict=True))
