"""Text to video with sound and back, in the files of MSR-VTT (Xu et al., CVPR 2016), split 1k-A (Yu et al., ECCV 2018).

Layout on disk, under ``root``: ``MSRVTT_data.json``, ``MSRVTT_train.9k.csv``, ``MSRVTT_JSFUSION_test.csv`` and, where
there is one, ``MSRVTT_val.csv``; ``<video_id>.mp4`` beside them, in ``videos/`` or in ``videos/all/``.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from lstta_tasks.annotations.csv_rows import csv_rows
from lstta_tasks.annotations.files import check_fields, check_inside, clip_file, data_folder, first_file, read_json
from lstta_tasks.annotations.reading import Reading
from lstta_tasks.answers.ranking import Ranking
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import SPLITS, Sample, Split, Task

DATA, VAL, TRAIN, TEST = "MSRVTT_data.json", "MSRVTT_val.csv", "MSRVTT_train.9k.csv", "MSRVTT_JSFUSION_test.csv"
FILES: dict[Split, tuple[str, ...]] = {"train": (TRAIN, DATA), "val": (TRAIN, DATA), "test": (TEST,)}
SENTENCE = {"video_id": str, "caption": str}
PAIRS = ("key", "video_id", "sentence")


class Retrieval(Task):
    """The clip of a caption among all clips of the split, and the caption of a clip among all captions.

    1k-A has no validation split, and nobody should select on its test file: val is what ``MSRVTT_val.csv`` lists or,
    where that is absent, a share of train by the hash of the clips' ids. Either is taken out of train. Every caption of
    a training clip is a sample; captions of one clip in a batch are not each other's negatives.

    Args:
        root: the folder of the data set; None where there are no annotations to read, as for inference.
        embedding: E, the width of the embeddings; this and the next two as :class:`Ranking` explains them.
        joint: whether there is a joint mode.
        rerank: how many clips of each text, and texts of each clip, the joint mode ranks again.
        val_share: of train, that is held out where there is no file of val.
        val_captions: how many captions a clip of val has, the first of them; None for all. One is what test has.
        encoding: of a CSV file that is neither UTF-8 nor UTF-16 with a mark.
        skip_bad_rows: leave rows out that are malformed, and count them; otherwise they are all named, and refused.

    Raises:
        ValueError: an option is out of range.
    """

    name = "retrieval"
    reading: Reading

    def __init__(
        self,
        *,
        root: str | Path | None = None,
        embedding: int = 256,
        joint: bool = False,
        rerank: int = 10,
        val_share: float = 0.05,
        val_captions: int | None = 1,
        encoding: str | None = None,
        skip_bad_rows: bool = False,
    ) -> None:
        self.reading = Reading(encoding=encoding, skip_bad_rows=skip_bad_rows)
        self.root = None if root is None else Path(root)
        self.val_share = val_share
        self.val_captions = val_captions
        counts = {"embedding": embedding, "rerank": rerank, "val_captions": 1 if val_captions is None else val_captions}
        for option, value in counts.items():
            if value < 1:
                raise ValueError(f"task.{option} must be at least 1, got {value}")
        if not 0 < val_share < 1:
            raise ValueError(f"task.val_share must lie between 0 and 1, got {val_share}")
        self._answer = Ranking(embedding=embedding, joint=joint, rerank=rerank)

    @property
    def answer(self) -> Ranking:
        return self._answer

    def options(self) -> dict[str, Any]:
        return {
            "embedding": self.answer.embedding,
            "joint": self.answer.joint,
            "rerank": self.answer.rerank,
            "val_share": self.val_share,
            "val_captions": self.val_captions,
        }

    def splits(self) -> list[Split]:
        splits = [split for split in SPLITS if all((self._folder / name).is_file() for name in FILES[split])]
        if not splits:
            first_file([self._folder / TRAIN])
        return splits

    def clips(self, split: Split) -> list[ClipSource]:
        left = self._told(split) if self.reading.skip_bad_rows else self._videos(split)
        return [self._source(video) for video in left]

    def samples(self, split: Split) -> list[Sample]:
        sources = {clip.id: (place, clip) for place, clip in enumerate(self.clips(split))}
        return [
            Sample(id=name, source=sources[video][1], text=caption, target=sources[video][0])
            for name, video, caption in self._captions(split)
        ]

    def _videos(self, split: Split) -> list[str]:
        """The ids of a split, each once, in the order of its file."""
        if split == "test":
            return _ids(self._rows(TEST, PAIRS))
        videos = _ids(self._rows(TRAIN, ("video_id",)))
        if (self._folder / VAL).is_file():
            held_out = _ids(self._rows(VAL, ("video_id",)))
        else:
            held_out = [video for video in videos if _drawn(video) < self.val_share]
        left = held_out if split == "val" else [video for video in videos if video not in set(held_out)]
        if not left:
            raise ValueError(
                f"{self._folder / TRAIN}: of its {len(videos)} clips, {len(held_out)} are held out for val and none is "
                f"left for {split}: choose another task.val_share, or list the clips of val in {VAL}"
            )
        return left

    def _told(self, split: Split) -> list[str]:
        """The ids of a split that have captions; those that have none are bad rows."""
        if split == "test":
            return self._videos(split)

        def checked(video: str, place: str) -> str:
            if video not in self._sentences:
                raise ValueError(f"{place}: {self._folder / DATA}: no sentence has video_id {video!r}")
            return video

        videos = ((f"clip {video!r} of {split}", video) for video in self._videos(split))
        return self.reading.kept(self._folder / TRAIN, videos, checked)

    def _captions(self, split: Split) -> list[tuple[str, str, str]]:
        """Id, clip and text of each caption of a split."""
        if split == "test":
            return [(row["key"], row["video_id"], row["sentence"]) for row in self._rows(TEST, PAIRS)]
        most = self.val_captions if split == "val" else None
        sentences = self._sentences
        return [
            (f"{video}#{number}", video, text)
            for video in self._told(split)
            for number, text in enumerate(sentences[video][:most])
        ]

    @cached_property
    def _sentences(self) -> dict[str, list[str]]:
        """The captions of each clip, in the order of the file."""
        path = first_file([self._folder / DATA])
        rows = read_json(path, dict, "an object with a list 'sentences'").get("sentences")
        if not isinstance(rows, list) or not rows:
            raise ValueError(f"{path}: an object with a list 'sentences' that is not empty is wanted")
        captions: dict[str, list[str]] = defaultdict(list)
        places = ((f"sentence {number}", row) for number, row in enumerate(rows))
        for video, caption in self.reading.kept(path, places, _sentence):
            captions[video].append(caption)
        return dict(captions)

    def _rows(self, name: str, columns: Sequence[str]) -> list[dict[str, str]]:
        """The rows of a CSV file, with no empty cell in these columns."""

        def checked(cells: Mapping[str, str], place: str) -> dict[str, str]:
            row = {column: cells[column].strip() for column in columns}
            for column, cell in row.items():
                if not cell:
                    raise ValueError(f"{place}: column {column!r} is empty")
            check_inside(row["video_id"], "video_id", place)
            return row

        return csv_rows(first_file([self._folder / name]), checked, reading=self.reading, needed=columns)

    @property
    def _folder(self) -> Path:
        return data_folder(self.root, self.name)

    def _source(self, video: str) -> ClipSource:
        return ClipSource(video, clip_file([self._folder / f / f"{video}.mp4" for f in ("videos/all", "videos", "")]))


def _ids(rows: Sequence[dict[str, str]]) -> list[str]:
    return list(dict.fromkeys(row["video_id"] for row in rows))


def _sentence(row: Any, place: str) -> tuple[str, str]:
    row = check_fields(row, SENTENCE, place)
    for field in SENTENCE:
        if not row[field].strip():
            raise ValueError(f"{place}: field {field!r} must be a text, got {row[field]!r}")
    return row["video_id"], row["caption"].strip()


def _drawn(video: str) -> float:
    """A number in [0, 1) that follows from the id."""
    return int.from_bytes(hashlib.sha256(video.encode()).digest()[:8], "big") / 2**64
