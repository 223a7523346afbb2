"""Sentiment of what somebody says on video, in the files of CMU-MOSI and CMU-MOSEI as MMSA distributes them.

Layout on disk, under ``root``: ``label.csv`` (``video_id, clip_id, text, label, annotation, mode``), or a pickle of
features, of which texts, ids and labels are read and nothing else; the clips as ``Raw/<video_id>/<clip_id>.mp4``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from lstta_tasks.annotations.csv_rows import UTF_8, number_between, read_csv
from lstta_tasks.annotations.files import clip_file, data_folder, first_file
from lstta_tasks.annotations.pickles import read_pickle
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
    """

    name = "sentiment"

    def __init__(
        self,
        *,
        root: str | Path | None = None,
        annotations: str = "label.csv",
        loss: Literal["l1", "smooth_l1"] = "l1",
    ) -> None:
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
        read = _from_csv if path.suffix == ".csv" else _from_pickle
        seen: dict[tuple[str, str], str] = {}
        opinions = []
        for place, opinion in read(path):
            name = (opinion.video, opinion.clip)
            if name in seen:
                raise ValueError(f"{place}: video {name[0]!r} has clip {name[1]!r} already, in {seen[name]}")
            seen[name] = place
            opinions.append(opinion)
        return opinions

    def _path(self) -> Path:
        path = first_file([data_folder(self.root, self.name) / self.annotations])
        if path.suffix not in (".csv", ".pkl"):
            raise ValueError(f"task.annotations: a .csv or .pkl file is wanted, got {self.annotations!r}")
        return path

    def _source(self, opinion: Opinion) -> ClipSource:
        assert self.root is not None
        places = [self.root / folder / opinion.video / f"{opinion.clip}.mp4" for folder in FOLDERS]
        return ClipSource(f"{opinion.video}/{opinion.clip}", clip_file(places))


def _from_csv(path: Path) -> Iterator[tuple[str, Opinion]]:
    for line, row in read_csv(path, needed=COLUMNS, encodings=(UTF_8, "cp1252")):
        place = f"{path}, line {line}"
        for field in ("video_id", "clip_id"):
            if not row[field].strip():
                raise ValueError(f"{place}: field {field!r} is empty")
        if row["mode"] not in MODES.values():
            raise ValueError(f"{place}: field 'mode' must be one of {', '.join(MODES.values())}, got {row['mode']!r}")
        score = number_between(row["label"], -BOUND, BOUND, "label", place)
        yield place, Opinion(row["video_id"].strip(), row["clip_id"].strip(), row["text"].strip(), score, row["mode"])


def _from_pickle(path: Path) -> Iterator[tuple[str, Opinion]]:
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
        for row, (name, text, label) in enumerate(zip(names, texts, scores, strict=True)):
            place = f"{path}, {mode}, row {row}"
            video, between, clip = str(name).rpartition(BETWEEN)
            if not (video and between and clip):
                raise ValueError(f"{place}: field 'id' must be VIDEO{BETWEEN}CLIP, got {name!r}")
            score = number_between(label, -BOUND, BOUND, "regression_labels", place)
            yield place, Opinion(video, clip, str(text).strip(), score, mode)
