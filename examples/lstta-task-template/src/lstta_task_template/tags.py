"""Any number of tags for a video: a small multi-label task, complete."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import SPLITS, Report, Sample, Score, Split, Task


class Tags(Task):
    """Which of the training split's tags fit.

    Reads ``<root>/tags.csv``, with the columns video, split, text and tags; tags are separated by semicolons.

    Args:
        root: the folder; None where only ``tags`` are needed, as for inference.
        tags: the vocabulary; by default the tags of the training split, sorted. At most 63.
    """

    name = "tags"

    def __init__(self, *, root: str | Path | None = None, tags: Sequence[str] | None = None) -> None:
        self.root = None if root is None else Path(root)
        self._tags = None if tags is None else tuple(tags)

    @property
    def tags(self) -> tuple[str, ...]:
        if self._tags is None:
            self._tags = tuple(sorted({tag for _, row in self._rows("train") for tag in split_tags(row["tags"])}))
        return self._tags

    def options(self) -> dict[str, Any]:
        return {"tags": list(self.tags)}

    def splits(self) -> list[Split]:
        there = {row["split"] for _, row in self._rows()}
        return [split for split in SPLITS if split in there]

    def clips(self, split: Split) -> list[ClipSource]:
        videos = dict.fromkeys(row["video"] for _, row in self._rows(split))
        return [self._source(video) for video in videos]

    def samples(self, split: Split) -> list[Sample]:
        """The target is a whole number: bit i is set where the sample has tag i."""
        bits = {tag: 1 << i for i, tag in enumerate(self.tags)}
        samples = []
        for line, row in self._rows(split):
            tags = split_tags(row["tags"])
            target = sum(bits.get(tag, 0) for tag in tags)
            source = self._source(row["video"])
            samples.append(Sample(id=str(line), source=source, text=row["text"], target=target, labels=tags))
        return samples

    def head(self, width: int) -> nn.Module:
        return nn.Linear(width, len(self.tags))

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        wanted = (target[:, None] >> torch.arange(len(self.tags), device=target.device)) & 1
        return F.binary_cross_entropy_with_logits(output, wanted.to(output.dtype))

    def predict(self, output: Tensor) -> list[dict[str, Any]]:
        chosen = output > 0
        return [{"tags": [tag for tag, on in zip(self.tags, row, strict=True) if on]} for row in chosen.tolist()]

    def report(self, predictions: Mapping[str, Mapping[str, Any]], samples: Sequence[Sample]) -> Report:
        """F1 over all (sample, tag) pairs, 0 where nothing is right; its baseline gives every tag to everyone."""
        answered = [sample for sample in samples if sample.id in predictions]
        true = {(sample.id, tag) for sample in answered for tag in sample.labels}
        found = {(sample.id, tag) for sample in answered for tag in predictions[sample.id]["tags"]}
        everything = {(sample.id, tag) for sample in answered for tag in self.tags}
        return Report("F1", (Score("F1", f1(found, true), len(answered), f1(everything, true), "all tags"),))

    def _rows(self, split: Split | None = None) -> Iterator[tuple[int, dict[str, str]]]:
        """Rows with the number of their line."""
        if self.root is None:
            raise ValueError("tags has no root: set task.root to the folder with tags.csv")
        path = self.root / "tags.csv"
        if not path.is_file():
            raise FileNotFoundError(f"{path} is not there; set task.root to its folder")
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            for row in reader:
                place = f"{path}, line {reader.line_num}"
                for column in ("video", "split", "text", "tags"):
                    if row.get(column) is None:
                        raise ValueError(f"{place}: there is no {column!r}")
                if row["split"] not in SPLITS:
                    raise ValueError(f"{place}: split must be one of {', '.join(SPLITS)}, got {row['split']!r}")
                if split in (None, row["split"]):
                    yield reader.line_num, row

    def _source(self, video: str) -> ClipSource:
        assert self.root is not None
        return ClipSource(id=video, video=self.root / video)


def split_tags(cell: str) -> tuple[str, ...]:
    """The tags of a cell, each once."""
    return tuple(dict.fromkeys(tag.strip() for tag in cell.split(";") if tag.strip()))


def f1(found: set[tuple[str, str]], true: set[tuple[str, str]]) -> float:
    """The harmonic mean of precision and recall."""
    return 2 * len(found & true) / max(len(found) + len(true), 1)
