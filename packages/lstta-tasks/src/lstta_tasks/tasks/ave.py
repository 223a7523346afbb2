"""What is both seen and heard in each second, in the files of AVE (Tian et al., ECCV 2018).

Layout on disk, under ``root``: ``trainSet.txt``, ``valSet.txt`` and ``testSet.txt``, with or without a header; or
``Annotations.txt`` alone, whose videos are then divided here. The clips as ``AVE/<VideoID>.mp4``, or beside the files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstta_tasks.annotations.csv_rows import whole_number
from lstta_tasks.annotations.files import check_inside, clip_file, data_folder, first_file
from lstta_tasks.annotations.reading import Reading
from lstta_tasks.annotations.splits import splits_with_files
from lstta_tasks.answers.segment_class import SegmentClass
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import SPLITS, Sample, Split, Task
from lstta_tasks.tasks.held_out import tenth

EVENTS = (
    *("Church bell", "Male speech, man speaking", "Bark", "Fixed-wing aircraft, airplane", "Race car, auto racing"),
    *("Female speech, woman speaking", "Helicopter", "Violin, fiddle", "Flute", "Ukulele", "Frying (food)", "Truck"),
    *("Shofar", "Motorcycle", "Acoustic guitar", "Train horn", "Clock", "Banjo", "Goat", "Baby cry, infant cry", "Bus"),
    *("Chainsaw", "Cat", "Horse", "Toilet flush", "Rodents, rats, mice", "Accordion", "Mandolin"),
)
"""The events, in the order of the data set's file."""
BACKGROUND = "background"
SECONDS = 10
COLUMNS = ("Category", "VideoID", "Quality", "StartTime", "EndTime")
ALL = "Annotations.txt"


@dataclass(frozen=True)
class Event:
    """A row: what is seen and heard together in a video, from one second to before another."""

    category: str
    video: str
    start: int
    end: int


class AVE(Task):
    """One of 28 events, or background, in each of ten seconds: what is seen and heard at once.

    The report has accuracy over all segments, which selection goes by, and that of events and of background.

    Args:
        root: the folder of the data set; None where there are no annotations to read, as for inference.
        encoding: of files that are neither UTF-8 nor UTF-16 with a mark.
        skip_bad_rows: leave rows out that are malformed, and count them; otherwise they are all named, and refused.
    """

    name = "ave"
    reading: Reading
    clip_seconds = float(SECONDS)
    answer = SegmentClass((*EVENTS, BACKGROUND), segments=SECONDS, background=BACKGROUND)

    def __init__(
        self, *, root: str | Path | None = None, encoding: str | None = None, skip_bad_rows: bool = False
    ) -> None:
        self.reading = Reading(encoding=encoding, skip_bad_rows=skip_bad_rows)
        self.root = None if root is None else Path(root)

    def options(self) -> dict[str, Any]:
        return {}

    def splits(self) -> list[Split]:
        return list(SPLITS) if self._undivided() else splits_with_files(self._places)

    def clips(self, split: Split) -> list[ClipSource]:
        return list(dict.fromkeys(sample.source for sample in self.samples(split)))

    def samples(self, split: Split) -> list[Sample]:
        samples, times = [], Counter[str]()
        for event in self.events(split):
            here, nothing = EVENTS.index(event.category), len(EVENTS)
            target = tuple(here if event.start <= second < event.end else nothing for second in range(SECONDS))
            source = self._source(event.video)
            samples.append(Sample(again(event.video, times), source, None, target, labels=(event.category,)))
        return samples

    def events(self, split: Split) -> list[Event]:
        """The rows of a split. Raises as :meth:`samples` does."""
        if not self._undivided():
            return read_events(first_file(self._places(split)), self.reading)
        path = data_folder(self.root, self.name) / ALL
        self.reading.note(f"{path}: the files of splits are not there, so videos are divided 8 : 1 : 1 by their names")
        drawn: dict[int, Split] = {8: "val", 9: "test"}
        return [e for e in read_events(path, self.reading) if drawn.get(tenth(e.video), "train") == split]

    def _undivided(self) -> bool:
        root = data_folder(self.root, self.name)
        return (root / ALL).is_file() and not any(self._places(split)[0].is_file() for split in SPLITS)

    def _places(self, split: Split) -> list[Path]:
        return [data_folder(self.root, self.name) / f"{split}Set.txt"]

    def _source(self, video: str) -> ClipSource:
        assert self.root is not None
        places = [self.root / folder / f"{video}.mp4" for folder in ("AVE", "videos", "")]
        return self.clip_of(video, clip_file(places))


def read_events(path: Path, reading: Reading) -> list[Event]:
    """The rows of a file of AVE's, with or without a header.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: rows are bad, which are all named, or there are none.
    """
    lines = list(_lines(reading.text(path)))
    if not lines:
        raise ValueError(f"{path}: there are no rows in it; {'&'.join(COLUMNS)} is wanted, one line an event")
    return reading.kept(path, lines, _event)


def again(name: str, times: Counter[str]) -> str:
    """An id of its own for whatever has a name that others may have too: the second is ``name#2``."""
    times[name] += 1
    return name if times[name] == 1 else f"{name}#{times[name]}"


def _lines(text: str) -> Iterator[tuple[str, list[str]]]:
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in line.split("&")]
        if line.strip() and [cell.casefold() for cell in cells] != [name.casefold() for name in COLUMNS]:
            yield f"line {number}", cells


def _event(cells: list[str], place: str) -> Event:
    if len(cells) != len(COLUMNS):
        raise ValueError(f"{place}: {'&'.join(COLUMNS)} is wanted, got {len(cells)} cells, {'&'.join(cells)!r:.80}")
    row = dict(zip(COLUMNS, cells, strict=True))
    if row["Category"] not in EVENTS:
        got = row["Category"]
        raise ValueError(f"{place}: field 'Category' must be one of AVE's {len(EVENTS)} events, got {got!r:.80}")
    start, end = whole_number(row, "StartTime", place), whole_number(row, "EndTime", place)
    if not start < end <= SECONDS:
        raise ValueError(
            f"{place}: an event of {row['VideoID']!r} from StartTime {start} to EndTime {end} is no part of a video's "
            f"{SECONDS} seconds"
        )
    if not row["VideoID"]:
        raise ValueError(f"{place}: field 'VideoID' is empty")
    return Event(row["Category"], check_inside(row["VideoID"], "VideoID", place), start, end)
