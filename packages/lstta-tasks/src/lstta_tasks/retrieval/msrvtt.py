"""The files of MSR-VTT (Xu et al., CVPR 2016) and its split 1k-A (Yu et al., ECCV 2018).

Layout on disk: ``MSRVTT_data.json``, ``MSRVTT_train.9k.csv``, ``MSRVTT_JSFUSION_test.csv`` and, where there is one,
``MSRVTT_val.csv``; ``<video_id>.mp4`` beside them, in ``videos/`` or in ``videos/all/``.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import SPLITS, Split

DATA, VAL, TRAIN, TEST = "MSRVTT_data.json", "MSRVTT_val.csv", "MSRVTT_train.9k.csv", "MSRVTT_JSFUSION_test.csv"


class MSRVTT:
    """The clips and captions of each split.

    1k-A has no validation split, and nobody should select on its test file: val is what ``MSRVTT_val.csv`` lists or,
    where that is absent, a share of train by the hash of the clips' ids. Either is taken out of train.

    Args:
        root: the folder.
        val_share: of train, that is held out where there is no file of val.
        val_captions: how many captions a clip of val has, the first of them; None for all.
    """

    def __init__(self, root: Path, *, val_share: float, val_captions: int | None) -> None:
        self.root = root
        self.val_share = val_share
        self.val_captions = val_captions

    def splits(self) -> list[Split]:
        """The splits whose annotations are there.

        Raises:
            FileNotFoundError: none is.
        """
        wanted: dict[Split, tuple[str, ...]] = {"train": (TRAIN, DATA), "val": (TRAIN, DATA), "test": (TEST,)}
        there = [split for split in SPLITS if all((self.root / name).is_file() for name in wanted[split])]
        if not there:
            raise self._missing(TRAIN)
        return there

    def videos(self, split: Split) -> list[str]:
        """The ids of a split, each once, in the order of its file.

        Raises:
            FileNotFoundError: the file of the split is not there.
            ValueError: it is malformed, or no clip is left.
        """
        if split == "test":
            return _ids(self._rows(TEST, ("key", "video_id", "sentence")))
        videos = _ids(self._rows(TRAIN, ("video_id",)))
        if (self.root / VAL).is_file():
            held_out = _ids(self._rows(VAL, ("video_id",)))
        else:
            held_out = [video for video in videos if _drawn(video) < self.val_share]
        left = held_out if split == "val" else [video for video in videos if video not in set(held_out)]
        if not left:
            raise ValueError(
                f"{self.root / TRAIN}: of its {len(videos)} clips, {len(held_out)} are held out for val and none is "
                f"left for {split}: choose another task.val_share, or list the clips of val in {VAL}"
            )
        return left

    def captions(self, split: Split) -> list[tuple[str, str, str]]:
        """Id, clip and text of each caption of a split. Raises as :meth:`videos` does."""
        if split == "test":
            rows = self._rows(TEST, ("key", "video_id", "sentence"))
            return [(row["key"], row["video_id"], row["sentence"]) for row in rows]
        most = self.val_captions if split == "val" else None
        captions = []
        for video in self.videos(split):
            if video not in self._sentences:
                raise ValueError(f"{self.root / DATA}: no sentence has video_id {video!r}, a clip of {split}")
            texts = self._sentences[video][:most]
            captions += [(f"{video}#{number}", video, text) for number, text in enumerate(texts)]
        return captions

    def source(self, video: str) -> ClipSource:
        """Where a clip is."""
        places = [self.root / folder / f"{video}.mp4" for folder in ("videos/all", "videos", "")]
        return ClipSource(id=video, video=next((path for path in places if path.is_file()), places[0]))

    @cached_property
    def _sentences(self) -> dict[str, list[str]]:
        """The captions of each clip, in the order of the file."""
        path = self.root / DATA
        if not path.is_file():
            raise self._missing(DATA)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: not JSON ({error})") from error
        rows = content.get("sentences") if isinstance(content, dict) else None
        if not isinstance(rows, list) or not rows:
            raise ValueError(f"{path}: an object with a list 'sentences' that is not empty is wanted")
        found: dict[str, list[str]] = defaultdict(list)
        for number, row in enumerate(rows):
            for field in ("video_id", "caption"):
                value = row.get(field) if isinstance(row, dict) else None
                if not isinstance(value, str) or not value.strip():
                    raise ValueError(f"{path}, sentence {number}: field {field!r} must be a text, got {value!r}")
            found[row["video_id"]].append(row["caption"].strip())
        return dict(found)

    def _rows(self, name: str, columns: Sequence[str]) -> list[dict[str, str]]:
        """The rows of a CSV file, with no empty cell in these columns."""
        path = self.root / name
        if not path.is_file():
            raise self._missing(name)
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            try:
                rows, header = list(reader), reader.fieldnames or ()
            except (csv.Error, UnicodeDecodeError) as error:
                raise ValueError(f"{path}: not CSV in UTF-8 ({error})") from error
        if not rows or not set(columns) <= set(header):
            raise ValueError(
                f"{path}: rows with the columns {', '.join(columns)} are wanted, got {len(rows)} rows with "
                f"{', '.join(header) or 'none'}"
            )
        for number, row in enumerate(rows):
            for column in columns:
                row[column] = (row[column] or "").strip()
                if not row[column]:
                    raise ValueError(f"{path}, row {number}: column {column!r} is empty")
        return rows

    def _missing(self, name: str) -> FileNotFoundError:
        lacking = f"{self.root / name}: no such file" if self.root.is_dir() else f"{self.root}: no such folder"
        return FileNotFoundError(f"{lacking}; set task.root to the folder of the data set")


def _ids(rows: Sequence[dict[str, str]]) -> list[str]:
    return list(dict.fromkeys(row["video_id"] for row in rows))


def _drawn(video: str) -> float:
    """A number in [0, 1) that follows from the id."""
    return int.from_bytes(hashlib.sha256(video.encode()).digest()[:8], "big") / 2**64
