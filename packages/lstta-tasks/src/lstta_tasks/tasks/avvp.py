"""What is heard and what is seen in each second, in the files of LLP (Tian et al., ECCV 2020).

Layout on disk, under ``root`` or its ``data``: ``AVVP_train.csv``, the labels of clips; and of each other split SPLIT
(``val``, ``test``) ``AVVP_SPLIT_audio.csv`` and ``AVVP_SPLIT_visual.csv``, the labels of seconds, or the two of both
splits together, ``AVVP_eval_audio.csv`` and ``AVVP_eval_visual.csv``. ``AVVP_SPLIT_pd.csv``, where it is there, says
which clips the split has. The clips as ``video/<filename>.mp4``, or under the name without its times.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstta_core.finite import few
from lstta_tasks.annotations.csv_rows import csv_rows, whole_number
from lstta_tasks.annotations.files import check_inside, clip_file, data_folder, first_file
from lstta_tasks.annotations.reading import Reading
from lstta_tasks.annotations.splits import splits_with_files
from lstta_tasks.answers.segment_events import SegmentEvents
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.sample import Target
from lstta_tasks.task import Sample, Split, Task
from lstta_tasks.tasks.ave import again

LABELS = (
    *("Speech", "Car", "Cheering", "Dog", "Cat", "Frying_(food)", "Basketball_bounce", "Fire_alarm", "Chainsaw"),
    *("Cello", "Banjo", "Singing", "Chicken_rooster", "Violin_fiddle", "Vacuum_cleaner", "Baby_laughter", "Accordion"),
    *("Lawn_mower", "Motorcycle", "Helicopter", "Acoustic_guitar", "Telephone_bell_ringing", "Baby_cry_infant_cry"),
    *("Blender", "Clapping"),
)
"""In the order of the data set's own code."""
SECONDS = 10
TIMES = re.compile(r"(.+)_\d+_\d+")
"""A clip's name: that of its video, and between which of its seconds it lies."""


@dataclass(frozen=True)
class Span:
    """A row: a label from one second of a clip to before another; none where both are the same."""

    clip: str
    label: str
    start: int
    end: int


class AVVP(Task):
    """Which of 25 labels are heard, and which are seen, in each of ten seconds.

    The training split says which labels its clips have, and not where. The report has F-scores by segment and by event
    of sound, of sight and of both, ``Type@AV`` and ``Event@AV``; selection goes by ``segment/Type@AV``.

    Args:
        root: the folder of the data set; None where there are no annotations to read, as for inference.
        encoding: of files that are neither UTF-8 nor UTF-16 with a mark.
        skip_bad_rows: leave rows out that are malformed, and count them; otherwise they are all named, and refused.
    """

    name = "avvp"
    reading: Reading
    clip_seconds = float(SECONDS)
    answer = SegmentEvents(LABELS, segments=SECONDS)

    def __init__(
        self, *, root: str | Path | None = None, encoding: str | None = None, skip_bad_rows: bool = False
    ) -> None:
        self.reading = Reading(encoding=encoding, skip_bad_rows=skip_bad_rows)
        self.root = None if root is None else Path(root)

    def options(self) -> dict[str, Any]:
        return {}

    def splits(self) -> list[Split]:
        return splits_with_files(self._leading)

    def clips(self, split: Split) -> list[ClipSource]:
        return list(dict.fromkeys(sample.source for sample in self.samples(split)))

    def samples(self, split: Split) -> list[Sample]:
        times: Counter[str] = Counter()
        targets = self._of_clips() if split == "train" else self._of_seconds(split)
        return [Sample(again(clip, times), self._source(clip), None, target) for clip, target in targets]

    def _of_clips(self) -> list[tuple[str, Target]]:
        """The clips of train, with the labels that are somewhere in them."""

        def row(cells: Mapping[str, str], place: str) -> tuple[str, tuple[int, ...]]:
            labels = [_label(name.strip(), place) for name in cells["event_labels"].split(",") if name.strip()]
            return _clip(cells, place), tuple(int(name in labels) for name in LABELS)

        path = first_file(self._leading("train"))
        clips = csv_rows(path, row, reading=self.reading, needed=("filename", "event_labels"))
        if empty := [name for name, labels in clips if not any(labels)]:
            self.reading.note(
                f"{path}: {len(empty)} of its {len(clips)} clips have no event_labels, so they teach that nothing is "
                f"heard or seen in them: {few(list(map(repr, empty)))}"
            )
        return [*clips]

    def _of_seconds(self, split: Split) -> list[tuple[str, Target]]:
        """The clips of another split, with what is heard and what is seen in each second."""
        named = self._list_of(split)
        files = [self._seconds(split, side, listed=named is not None) for side in ("audio", "visual")]
        found = [self._spans(path) for path in files]
        there = [{span.clip for span in spans} for spans in found]
        clips = list(dict.fromkeys(span.clip for spans in found for span in spans))
        if named is None:
            _check_same_clips(files, there)
        else:
            strange, clips = set(clips), self._listed(named)
            self._tell_strange(named, strange.difference(clips), files)
        for path, known, sensed in zip(files, there, ("heard", "seen"), strict=True):
            self._tell_silent(path, known, [clip for clip in clips if clip not in known], len(clips), sensed)
        rows = {clip: [[0] * (2 * len(LABELS)) for _ in range(SECONDS)] for clip in clips}
        for place, spans in enumerate(found):
            for span in spans:
                for row in rows[span.clip][span.start : span.end] if span.clip in rows else ():
                    row[place * len(LABELS) + LABELS.index(span.label)] = 1
        return [(clip, tuple(map(tuple, rows[clip]))) for clip in clips]

    def _tell_silent(self, path: Path, known: set[str], silent: list[str], clips: int, sensed: str) -> None:
        """Note clips of a split that have no row in one of its files.

        Raises:
            ValueError: none has.
        """
        if len(silent) == clips:
            raise ValueError(f"{path}: it has {min(known)!r}, and no clip of the split, such as {silent[0]!r}")
        if silent:
            self.reading.note(
                f"{path}: {len(silent)} of the split's {clips} clips have no row in it, so nothing is {sensed} in "
                f"them: {few(list(map(repr, silent)))}"
            )

    def _tell_strange(self, named: Path, strange: set[str], files: list[Path]) -> None:
        """Note rows of clips that are on no list."""
        if any(path.name.startswith("AVVP_eval_") for path in files):
            lists = [self._list_of("val"), self._list_of("test")]
            strange.difference_update(*(self._listed(path) for path in lists if path is not None and path != named))
        if strange:
            names = few(list(map(repr, sorted(strange))))
            said = " or ".join(map(str, files))
            self.reading.note(f"{said}: {len(strange)} of its clips are on no list and left out: {names}")

    def _spans(self, path: Path) -> list[Span]:
        needed = ("filename", "onset", "offset", "event_labels")
        return csv_rows(path, _span, reading=self.reading, needed=needed)

    def _seconds(self, split: Split, side: str, *, listed: bool) -> Path:
        """The file of a side's seconds: the split's own, or, where a list says whose they are, that of both splits."""
        own, together = self._places(f"AVVP_{split}_{side}.csv"), self._places(f"AVVP_eval_{side}.csv")
        unlisted = next((path for path in together if path.is_file()), None)
        if unlisted is not None and not listed and not any(path.is_file() for path in own):
            raise FileNotFoundError(
                f"{unlisted}: it has the clips of val and of test, and AVVP_{split}_pd.csv, which says those of "
                f"{split}, is not there"
            )
        return first_file([*own, *(together if listed else [])])

    def _listed(self, path: Path) -> list[str]:
        return csv_rows(path, _clip, reading=self.reading, needed=("filename",))

    def _list_of(self, split: Split) -> Path | None:
        """The file that says which clips are the split's, where there is one."""
        return next((path for path in self._places(f"AVVP_{split}_pd.csv") if path.is_file()), None)

    def _leading(self, split: Split) -> list[Path]:
        """The files of which one is there where there are annotations of a split."""
        if split == "train":
            return self._places("AVVP_train.csv")
        return [*self._places(f"AVVP_{split}_audio.csv"), *self._places(f"AVVP_{split}_pd.csv")]

    def _places(self, file: str) -> list[Path]:
        root = data_folder(self.root, self.name)
        return [root / file, root / "data" / file]

    def _source(self, clip: str) -> ClipSource:
        assert self.root is not None
        match = TIMES.fullmatch(clip)
        names = [clip, *([match[1]] if match else [])]
        folders = ("video", "videos", "LLP_dataset/video", "")
        places = [self.root / folder / f"{name}.mp4" for folder in folders for name in names]
        return self.clip_of(clip, clip_file(places))


def _check_same_clips(files: list[Path], clips: list[set[str]]) -> None:
    """Raise a ValueError where what is heard and what is seen are of altogether different clips."""
    heard, seen = clips
    if not heard & seen:
        raise ValueError(
            f"{files[0]} and {files[1]}: no clip is in both, {min(heard)!r} is in one and {min(seen)!r} in the other: "
            "they are of two splits, or name clips differently"
        )


def _clip(cells: Mapping[str, str], place: str) -> str:
    name = cells["filename"].strip()
    if not name:
        raise ValueError(f"{place}: field 'filename' is empty")
    return check_inside(name, "filename", place)


def _label(name: str, place: str) -> str:
    if name not in LABELS:
        raise ValueError(f"{place}: field 'event_labels' must be of LLP's {len(LABELS)} labels, got {name!r:.80}")
    return name


def _span(cells: Mapping[str, str], place: str) -> Span:
    clip, label = _clip(cells, place), _label(cells["event_labels"].strip(), place)
    start, end = whole_number(cells, "onset", place), whole_number(cells, "offset", place)
    if not start <= end <= SECONDS:
        raise ValueError(
            f"{place}: {label} of {clip!r} from onset {start} to offset {end} is no part of a clip's {SECONDS} seconds"
        )
    return Span(clip, label, start, end)
