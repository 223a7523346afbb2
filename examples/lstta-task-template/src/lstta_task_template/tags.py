"""Any number of tags for a video: a whole task, to copy."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from lstta_tasks.annotations.csv_rows import read_csv
from lstta_tasks.annotations.files import data_folder, first_file
from lstta_tasks.answers.several_labels import SeveralLabels
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import SPLITS, Sample, Split, Task


class Row(NamedTuple):
    line: int
    source: ClipSource
    text: str | None
    tags: tuple[str, ...]


class Tags(Task):
    """Which of the training split's tags fit.

    Reads ``<root>/tags.csv``, with the columns video, split, text and tags; tags are separated by semicolons.

    Args:
        root: the folder; None where only ``tags`` are needed, as for inference.
        tags: the vocabulary; by default the tags of the training split, sorted.
    """

    name = "tags"

    def __init__(self, *, root: str | Path | None = None, tags: Sequence[str] | None = None) -> None:
        self.root = None if root is None else Path(root)
        self._tags = tags

    @cached_property
    def answer(self) -> SeveralLabels:
        tags = self._tags
        if tags is None:
            tags = sorted({tag for row in self._rows["train"] for tag in row.tags})
        return SeveralLabels(tags, field="tags")

    def options(self) -> dict[str, Any]:
        return {"tags": list(self.answer.labels)}

    def splits(self) -> list[Split]:
        return [split for split in SPLITS if self._rows[split]]

    def clips(self, split: Split) -> list[ClipSource]:
        return list({row.source.id: row.source for row in self._rows[split]}.values())

    def samples(self, split: Split) -> list[Sample]:
        return [
            Sample(
                id=str(row.line), source=row.source, text=row.text, target=self.answer.target(row.tags), labels=row.tags
            )
            for row in self._rows[split]
        ]

    @cached_property
    def _rows(self) -> dict[Split, list[Row]]:
        folder = data_folder(self.root, self.name)
        path = first_file([folder / "tags.csv"])
        rows: dict[Split, list[Row]] = {split: [] for split in SPLITS}
        for line, cells in read_csv(path, needed=("video", "split", "text", "tags")):
            if cells["split"] not in SPLITS:
                raise ValueError(
                    f"{path}, line {line}: split must be one of {', '.join(SPLITS)}, got {cells['split']!r}"
                )
            source = ClipSource(cells["video"], folder / cells["video"])
            tags = dict.fromkeys(tag.strip() for tag in cells["tags"].split(";") if tag.strip())
            rows[cells["split"]].append(Row(line, source, cells["text"] or None, tuple(tags)))
        return rows
