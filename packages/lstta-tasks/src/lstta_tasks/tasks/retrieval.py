"""Text to video with sound and back, in the files of MSR-VTT 1k-A; :mod:`lstta_tasks.retrieval.msrvtt` reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from lstta_core.interfaces import TIMED, Modality
from lstta_tasks.answer import Answer
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.network import TaskNetwork, Tower
from lstta_tasks.retrieval.board import Board
from lstta_tasks.retrieval.losses import contrastive_loss, matching_loss
from lstta_tasks.retrieval.msrvtt import MSRVTT
from lstta_tasks.retrieval.network import Embedded, Embedder, Matcher, RetrievalNetwork
from lstta_tasks.retrieval.ranks import chance, measured, top
from lstta_tasks.task import Predictions, Report, Sample, Score, Split, Task

CUTOFFS = (1, 5, 10)
DIRECTIONS = ("text_to_video", "video_to_text")
SHOWN = 5


class Retrieval(Task):
    """The clip of a caption among all clips of the split, and the caption of a clip among all captions.

    In *dual* mode clips (sight and sound together) and texts are embedded without each other: an index of embeddings
    answers any text. In *joint* mode a third tower, of all three modalities, ranks the best of the dual mode again.

    Every caption of a training clip is a sample. Captions of one clip in a batch are not each other's negatives.

    Args:
        root: the folder of the data set; None where there are no annotations to read, as for inference.
        embedding: E, the width of the embeddings.
        joint: whether there is a joint mode.
        rerank: how many clips of each text, and texts of each clip, the joint mode ranks again.
        val_share: of train, that is held out where there is no file of val.
        val_captions: how many captions a clip of val has; None for all. One is what test has.

    Raises:
        ValueError: an option is out of range.
    """

    name = "retrieval"

    def __init__(
        self,
        *,
        root: str | Path | None = None,
        embedding: int = 256,
        joint: bool = False,
        rerank: int = 10,
        val_share: float = 0.05,
        val_captions: int | None = 1,
    ) -> None:
        self.root = None if root is None else Path(root)
        self.embedding = embedding
        self.joint = joint
        self.rerank = rerank
        self.val_share = val_share
        self.val_captions = val_captions
        counts = {"embedding": embedding, "rerank": rerank, "val_captions": 1 if val_captions is None else val_captions}
        for option, value in counts.items():
            if value < 1:
                raise ValueError(f"task.{option} must be at least 1, got {value}")
        if not 0 < val_share < 1:
            raise ValueError(f"task.val_share must lie between 0 and 1, got {val_share}")

    def options(self) -> dict[str, Any]:
        return {
            "embedding": self.embedding,
            "joint": self.joint,
            "rerank": self.rerank,
            "val_share": self.val_share,
            "val_captions": self.val_captions,
        }

    def splits(self) -> list[Split]:
        return self._files.splits()

    def clips(self, split: Split) -> list[ClipSource]:
        return [self._files.source(video) for video in self._files.videos(split)]

    def samples(self, split: Split) -> list[Sample]:
        sources = {clip.id: (place, clip) for place, clip in enumerate(self.clips(split))}
        return [
            Sample(id=name, source=sources[video][1], text=caption, target=sources[video][0])
            for name, video, caption in self._files.captions(split)
        ]

    def towers(self, modalities: Sequence[Modality]) -> dict[str, Sequence[Modality]]:
        timed = [m for m in modalities if m in TIMED]
        if not timed or Modality.LANGUAGE not in modalities:
            raise ValueError(
                f"retrieval needs an encoder for language and one for visual or audio, got {', '.join(modalities)}"
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
        loss = contrastive_loss(output.clips, output.texts, output.scale, target)
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
        """The cosine of each clip and its text: of use beside that of another text or clip."""
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
        found, before = board.ranks(*orders), board.ranks(*dual)
        best = top(orders[0], SHOWN)
        return {
            sample.id: {
                **_named(found[row]),
                **({"dual": _named(before[row])} if self.joint else {}),
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
        found = measured(np.array([predictions[query.id][direction] for query in queries]), CUTOFFS)
        scores = [
            Score(f"{direction}/R@{k}", value, count, guessed.recall[k], "chance") for k, value in found.recall.items()
        ]
        if self.joint:
            dual = measured(np.array([predictions[query.id]["dual"][direction] for query in queries]), CUTOFFS)
            scores.append(Score(f"{direction}/R@1 of dual", dual.recall[1], count, guessed.recall[1], "chance"))
        pairs = {"MdR": (found.median, guessed.median), "MnR": (found.mean, guessed.mean)}
        return scores + [
            Score(f"{direction}/{name}", value, count, baseline, "chance", lower_is_better=True)
            for name, (value, baseline) in pairs.items()
        ]

    @cached_property
    def _files(self) -> MSRVTT:
        if self.root is None:
            raise ValueError("retrieval has no root: set task.root to the folder of the data set")
        return MSRVTT(self.root, val_share=self.val_share, val_captions=self.val_captions)


def _named(found: tuple[int, int]) -> dict[str, int]:
    return dict(zip(DIRECTIONS, found, strict=True))
