"""A label for a clip and its text, from a CSV file of one's own.

Columns: ``video`` (a path, from the CSV's folder or absolute), ``label``; ``text``, ``split``, ``start`` and ``end``
(seconds of the video) where one has them. With ``subtitles``, what is said is read from the files beside the videos.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from lstta_tasks.annotations.csv_rows import csv_rows
from lstta_tasks.annotations.files import file_named
from lstta_tasks.annotations.reading import Reading
from lstta_tasks.annotations.subtitles import read_subtitles, subtitles_beside
from lstta_tasks.answers.one_of_many import OUTSIDE, OneOfMany
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import SPLITS, Sample, Split, Task, TimedText
from lstta_tasks.tasks.held_out import tenth

COLUMNS = ("video", "label", "text", "split", "start", "end")


@dataclass(frozen=True)
class Row:
    """A row of the CSV file; its id is the number of its (last) line."""

    id: str
    source: ClipSource
    label: str
    text: str | None
    split: Split


class Classification(Task):
    """One of the training split's labels. The report has accuracy over all and recall, label by label.

    Without a column ``split``, four fifths of the *videos* train, a tenth selects and a tenth tests, decided by the
    hash of the path as it is written: rows of one video are never in two splits, and new rows move no old ones.

    Args:
        path: of the CSV file; None where only ``labels`` are needed, as for inference.
        labels: the classes; by default the labels of the training split, sorted.
        encoding: of a CSV file that is neither UTF-8 nor UTF-16 with a mark.
        skip_bad_rows: leave rows out that are malformed, and count them; otherwise they are all named, and refused.
        subtitles: read ``.srt`` or ``.vtt`` files beside the videos, as ``lstta transcribe`` writes them; a segment's
            text is then the row's and what is said in it.
    """

    name = "classification"
    reading: Reading

    def __init__(
        self,
        *,
        path: str | Path | None = None,
        labels: Sequence[str] | None = None,
        encoding: str | None = None,
        skip_bad_rows: bool = False,
        subtitles: bool = False,
    ) -> None:
        self.timed_text = subtitles
        self.reading = Reading(encoding=encoding, skip_bad_rows=skip_bad_rows)
        self.path = None if path is None else Path(path)
        self._labels = None if labels is None else tuple(labels)

    @cached_property
    def answer(self) -> OneOfMany:
        """Its classes are read from the training split when they are first needed.

        Raises:
            ValueError: there are fewer than two.
        """
        labels = self._labels
        if labels is None:
            labels = tuple(sorted({row.label for row in self._rows("train")}))
            if len(labels) < 2:
                raise ValueError(f"{self.path}: the train split has one label, {labels[0]!r}: nothing to learn")
        return OneOfMany(labels, field="label", per_class="recall")

    def options(self) -> dict[str, Any]:
        return {"labels": list(self.answer.classes), **({"subtitles": True} if self.timed_text else {})}

    def splits(self) -> list[Split]:
        named = {row.split for row in self._all_rows}
        return [split for split in SPLITS if split in named]

    def clips(self, split: Split) -> list[ClipSource]:
        return list({row.source.id: row.source for row in self._rows(split)}.values())

    def samples(self, split: Split) -> list[Sample]:
        index = {label: i for i, label in enumerate(self.answer.classes)}
        return [
            Sample(
                id=row.id,
                source=row.source,
                text=row.text,
                target=index.get(row.label, OUTSIDE),
                labels=(row.label,),
                timed=_said(row.source) if self.timed_text else (),
            )
            for row in self._rows(split)
        ]

    def _rows(self, split: Split) -> list[Row]:
        rows = [row for row in self._all_rows if row.split == split]
        if not rows:
            raise FileNotFoundError(f"{self.path}: no row has split {split!r}")
        return rows

    @cached_property
    def _all_rows(self) -> list[Row]:
        if self.path is None:
            raise ValueError("classification has no path: set task.path to a CSV file")
        if not self.path.is_file():
            what = "a folder" if self.path.is_dir() else "no such file"
            raise FileNotFoundError(f"{self.path}: {what}; set task.path to a CSV file")
        return csv_rows(self.path, self._row, reading=self.reading, needed=("video", "label"), optional=COLUMNS)

    def _row(self, cells: Mapping[str, str], place: str) -> Row:
        full = {name: cells.get(name, "").strip() for name in COLUMNS}
        for name in ("video", "label"):
            if not full[name]:
                raise ValueError(f"{place}: column {name!r} is empty")
        split = full["split"] or _drawn(full["video"])
        if split not in SPLITS:
            raise ValueError(f"{place}: column 'split' must be one of {', '.join(SPLITS)}, got {split!r}")
        return Row(place.rpartition(" ")[2], self._source(full, place), full["label"], full["text"] or None, split)

    def _source(self, row: Mapping[str, str], place: str) -> ClipSource:
        assert self.path is not None
        start, end = (_seconds(row[name], name, place) for name in ("start", "end"))
        span = f"@{row['start']}-{row['end']}" if row["start"] or row["end"] else ""
        try:
            video = file_named(self.path.parent, row["video"])
            return ClipSource(f"{row['video']}{span}", video, start=start, end=end)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from error


def _said(source: ClipSource) -> tuple[TimedText, ...]:
    """The subtitles beside a clip's video, on the clip's clock; none where there is no file."""
    assert source.video is not None
    beside, start = subtitles_beside(source.video), source.start or 0.0
    if beside is None:
        return ()
    return tuple(
        replace(line, start=line.start - start, end=line.end - start)
        for line in read_subtitles(beside)
        if line.end > start
    )


def _drawn(video: str) -> Split:
    drawn: dict[int, Split] = {8: "val", 9: "test"}
    return drawn.get(tenth(video), "train")


def _seconds(cell: str, column: str, place: str) -> float | None:
    try:
        return float(cell) if cell else None
    except ValueError:
        raise ValueError(f"{place}: column {column!r} must be a number of seconds, got {cell!r}") from None
