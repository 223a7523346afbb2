"""Sentiment of what somebody says on video, in the files of CMU-MOSI and CMU-MOSEI as MMSA distributes them.

Layout on disk, under ``root``: ``label.csv`` (``video_id, clip_id, text, label, annotation, mode``), or a pickle of
features, of which texts, ids and labels are read and nothing else; the clips as ``Raw/<video_id>/<clip_id>.mp4``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

from lstta_tasks.annotations.csv_rows import csv_rows, number_between
from lstta_tasks.annotations.files import check_inside, clip_file, data_folder, first_file
from lstta_tasks.annotations.pickles import read_pickle
from lstta_tasks.annotations.reading import Reading
from lstta_tasks.answers.scale import Scale
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import SPLITS, Sample, Split, Task

MODES: dict[Split, str] = {"train": "train", "val": "valid", "test": "test"}
"""What the data sets call their splits."""
COLUMNS = ("video_id", "clip_id", "text", "label", "mode")
ARRAYS = ("id", "raw_text", "regression_labels")
FOLDERS = ("Raw", "raw", "")
BETWEEN = "$_$"
"""Between video and clip in the ids of the pickles."""
BOUND = 3.0
DEGREES = (
    "strongly negative",
    "negative",
    "weakly negative",
    "neutral",
    "weakly positive",
    "positive",
    "strongly positive",
)
"""Of −3 to 3."""


@dataclass(frozen=True)
class Opinion:
    """What somebody says in a clip, and its sentiment: from −3, very negative, to 3, very positive."""

    video: str
    clip: str
    text: str
    score: float
    mode: str


class Sentiment(Task):
    """A score in [−3, 3] for a clip and what is said in it.

    Args:
        root: the folder of the data set; None where there are no annotations to read, as for inference.
        annotations: a file in ``root``: a CSV file, or one of MMSA's pickles (``.pkl``).
        loss: ``"l1"``, or ``"smooth_l1"``, which is quadratic where the error is below 1.
        encoding: of a CSV file that is neither UTF-8 nor UTF-16 with a mark.
        skip_bad_rows: leave rows out that are malformed, and count them; otherwise they are all named, and refused.
    """

    name = "sentiment"
    reading: Reading

    def __init__(
        self,
        *,
        root: str | Path | None = None,
        annotations: str = "label.csv",
        loss: Literal["l1", "smooth_l1"] = "l1",
        encoding: str | None = None,
        skip_bad_rows: bool = False,
    ) -> None:
        self.reading = Reading(encoding=encoding, skip_bad_rows=skip_bad_rows)
        if loss not in ("l1", "smooth_l1"):
            raise ValueError(f"task.loss must be 'l1' or 'smooth_l1', got {loss!r}")
        self.root = None if root is None else Path(root)
        self.annotations = annotations
        self.loss = loss
        acc = {"acc7": 3, "acc5": 2}
        self._answer = Scale(-BOUND, BOUND, loss=loss, degrees=DEGREES, signs=True, rounded=acc)

    @property
    def answer(self) -> Scale:
        return self._answer

    def options(self) -> dict[str, Any]:
        return {"loss": self.loss}

    def splits(self) -> list[Split]:
        modes = {opinion.mode for opinion in self._opinions}
        return [split for split in SPLITS if MODES[split] in modes]

    def clips(self, split: Split) -> list[ClipSource]:
        return [self._source(opinion) for opinion in self._of(split)]

    def samples(self, split: Split) -> list[Sample]:
        return [
            Sample(
                id=f"{opinion.video}/{opinion.clip}",
                source=self._source(opinion),
                text=opinion.text or None,
                target=opinion.score,
            )
            for opinion in self._of(split)
        ]

    def _of(self, split: Split) -> list[Opinion]:
        opinions = [opinion for opinion in self._opinions if opinion.mode == MODES[split]]
        if not opinions:
            raise FileNotFoundError(f"{self._path()}: no clip has mode {MODES[split]!r}")
        return opinions

    @cached_property
    def _opinions(self) -> list[Opinion]:
        path = self._path()
        seen: dict[tuple[str, str], str] = {}

        def once(opinion: Opinion, place: str) -> Opinion:
            name = (opinion.video, opinion.clip)
            if name in seen:
                raise ValueError(f"{place}: video {name[0]!r} has clip {name[1]!r} already, in {seen[name]}")
            for part in name:
                check_inside(part, "id", place)
            seen[name] = place
            return opinion

        if path.suffix == ".csv":
            return csv_rows(
                path, lambda row, place: once(_from_csv(row, place), place), reading=self.reading, needed=COLUMNS
            )
        return self.reading.kept(path, _from_pickle(path), lambda make, place: once(make(place), place))

    def _path(self) -> Path:
        path = first_file([data_folder(self.root, self.name) / self.annotations])
        if path.suffix not in (".csv", ".pkl"):
            raise ValueError(f"task.annotations: a .csv or .pkl file is wanted, got {self.annotations!r}")
        return path

    def _source(self, opinion: Opinion) -> ClipSource:
        assert self.root is not None
        places = [self.root / folder / opinion.video / f"{opinion.clip}.mp4" for folder in FOLDERS]
        return ClipSource(f"{opinion.video}/{opinion.clip}", clip_file(places))


def _from_csv(row: Mapping[str, str], place: str) -> Opinion:
    for field in ("video_id", "clip_id"):
        if not row[field].strip():
            raise ValueError(f"{place}: field {field!r} is empty")
    mode = row["mode"].strip()
    if mode not in MODES.values():
        raise ValueError(f"{place}: field 'mode' must be one of {', '.join(MODES.values())}, got {row['mode']!r}")
    score = number_between(row["label"], -BOUND, BOUND, "label", place)
    return Opinion(row["video_id"].strip(), row["clip_id"].strip(), row["text"].strip(), score, mode)


def _from_pickle(path: Path) -> Iterator[tuple[str, Callable[[str], Opinion]]]:
    """Where each opinion is in the file, and what makes it, given its place for messages."""
    content = read_pickle(path)
    modes = [mode for mode in MODES.values() if isinstance(content, dict) and mode in content]
    if not modes:
        raise ValueError(f"{path}: an object with {', '.join(MODES.values())} is wanted, got {type(content).__name__}")
    for mode in modes:
        arrays = content[mode]
        if not isinstance(arrays, dict) or not set(ARRAYS) <= set(arrays):
            raise ValueError(f"{path}, {mode}: {', '.join(ARRAYS)} are wanted")
        names, texts, scores = (list(arrays[name]) for name in ARRAYS)
        if not len(names) == len(texts) == len(scores):
            raise ValueError(
                f"{path}, {mode}: {len(names)} of id, {len(texts)} of raw_text and {len(scores)} of regression_labels"
            )
        for row, values in enumerate(zip(names, texts, scores, strict=True)):
            yield f"{mode}, row {row}", partial(_opinion, mode, *values)


def _opinion(mode: str, name: Any, text: Any, label: Any, place: str) -> Opinion:
    video, between, clip = str(name).rpartition(BETWEEN)
    if not (video and between and clip):
        raise ValueError(f"{place}: field 'id' must be VIDEO{BETWEEN}CLIP, got {name!r:.80}")
    score = number_between(label, -BOUND, BOUND, "regression_labels", place)
    return Opinion(video, clip, str(text).strip(), score, mode)
