"""Any number of tags for a video: a whole task, to copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from lstta_tasks.annotations.csv_rows import csv_rows
from lstta_tasks.annotations.files import check_inside, data_folder, file_named, first_file
from lstta_tasks.annotations.reading import Reading
from lstta_tasks.answers.several_labels import SeveralLabels
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import SPLITS, Sample, Split, Task


class Row(NamedTuple):
    place: str
    split: Split
    source: ClipSource
    text: str | None
    tags: tuple[str, ...]


class Tags(Task):
    """Which of the training split's tags fit.

    Reads ``<root>/tags.csv``, with the columns video, split, text and tags; tags are separated by semicolons.

    Args:
        root: the folder; None where only ``tags`` are needed, as for inference.
        tags: the vocabulary; by default the tags of the training split, sorted.
        skip_bad_rows: leave malformed rows out and count them; otherwise they are all named, and refused.
    """

    name = "tags"

    def __init__(
        self, *, root: str | Path | None = None, tags: Sequence[str] | None = None, skip_bad_rows: bool = False
    ) -> None:
        self.reading = Reading(skip_bad_rows=skip_bad_rows)
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
                id=row.place.rpartition(" ")[2],
                source=row.source,
                text=row.text,
                target=self.answer.target(row.tags),
                labels=row.tags,
            )
            for row in self._rows[split]
        ]

    @cached_property
    def _rows(self) -> dict[Split, list[Row]]:
        path = first_file([data_folder(self.root, self.name) / "tags.csv"])
        rows = csv_rows(path, self._row, reading=self.reading, needed=("video", "split", "text", "tags"))
        return {split: [row for row in rows if row.split == split] for split in SPLITS}

    def _row(self, cells: Mapping[str, str], place: str) -> Row:
        split = next((split for split in SPLITS if split == cells["split"]), None)
        if split is None:
            raise ValueError(f"{place}: split must be one of {', '.join(SPLITS)}, got {cells['split']!r}")
        assert self.root is not None
        video = check_inside(cells["video"], "video", place)
        source = ClipSource(video, file_named(self.root, video))
        tags = dict.fromkeys(tag.strip() for tag in cells["tags"].split(";") if tag.strip())
        return Row(place, split, source, cells["text"] or None, tuple(tags))
