"""Emotion of an utterance in a dialogue, in the files of MELD (Poria et al., ACL 2019).

Layout on disk, under ``root``: ``train_sent_emo.csv``, ``dev_sent_emo.csv``, ``test_sent_emo.csv``, there or in
``train/``, ``dev/``, ``test/``; the clips as ``dia<Dialogue_ID>_utt<Utterance_ID>.mp4`` in the folder of their split:
the archive's own (:data:`FOLDERS`) or plain ``train``, ``dev``, ``test``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from lstta_tasks.annotations.csv_rows import csv_rows, whole_number
from lstta_tasks.annotations.files import clip_file, data_folder, first_file
from lstta_tasks.annotations.reading import Reading
from lstta_tasks.annotations.splits import splits_with_files
from lstta_tasks.answers.one_of_many import OneOfMany
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import Sample, Split, Task

EMOTIONS = ("neutral", "surprise", "fear", "sadness", "joy", "disgust", "anger")
"""The classes, in the order of MELD's own code."""
NAMES: dict[Split, str] = {"train": "train", "val": "dev", "test": "test"}
"""What the data set calls its splits."""
FOLDERS: dict[Split, str] = {
    "train": "train_splits",
    "val": "dev_splits_complete",
    "test": "output_repeated_splits_test",
}
COLUMNS = ("Utterance", "Speaker", "Emotion", "Dialogue_ID", "Utterance_ID")
TIMES = ("StartTime", "EndTime")
TIME = re.compile(r"(\d{1,4}):([0-5]\d):([0-5]\d)[,.](\d{1,3})")
MIXED = "cp1252"
"""What published copies mix with UTF-8."""
C1 = {code: text for code in range(0x80, 0xA0) if (text := bytes([code]).decode("cp1252", "ignore"))}
"""Control characters that are punctuation of cp1252 which somebody took for Latin-1."""


@dataclass(frozen=True)
class Utterance:
    """A row of the CSV files.

    Attributes:
        text: what is said.
        start, end: in seconds of the episode; None where the file has no such time. Nothing reads them: the clips are
            cut already, and some ends are minutes late.
    """

    dialogue: int
    number: int
    speaker: str
    text: str
    emotion: str
    start: float | None
    end: float | None


class Emotion(Task):
    """One of seven emotions of an utterance, given what was said before it.

    The words are the utterance and then those before it, the nearest first, each with its speaker's name: encoders cut
    long texts at their end, and so lose what is farthest away.

    The report has the F1 of each emotion, accuracy, and weighted F1, which selection goes by.

    Args:
        root: the folder of the data set; None where there are no annotations to read, as for inference.
        context: how many utterances before this one in its dialogue are read, at most.
        class_weights: of the loss, by class in the order of :data:`EMOTIONS`; ``"balanced"`` for n / (7 · n_c) of the
            training split. None weighs all samples alike.
        encoding: of CSV files that are neither UTF-8 nor UTF-16 with a mark. By default their lines that are not UTF-8
            are read as cp1252, as published copies have them, and the log says so.
        skip_bad_rows: leave rows out that are malformed, and count them; otherwise they are all named, and refused.
    """

    name = "emotion"
    reading: Reading

    def __init__(
        self,
        *,
        root: str | Path | None = None,
        context: int = 3,
        class_weights: Literal["balanced"] | Sequence[float] | None = None,
        encoding: str | None = None,
        skip_bad_rows: bool = False,
    ) -> None:
        self.reading = Reading(encoding=encoding, skip_bad_rows=skip_bad_rows, fallback=MIXED)
        if context < 0:
            raise ValueError(f"task.context must be 0 or more utterances, got {context}")
        self.root = None if root is None else Path(root)
        self.context = context
        self._weights = _checked_weights(class_weights)

    @cached_property
    def answer(self) -> OneOfMany:
        """Balanced weights are counted when it is first needed."""
        weights = self._weights
        if weights == "balanced":
            counts = Counter(utterance.emotion for utterance in self.utterances("train"))
            weights = [counts.total() / (len(EMOTIONS) * max(1, counts[emotion])) for emotion in EMOTIONS]
        return OneOfMany(EMOTIONS, field="emotion", per_class="f1", class_weights=weights)

    def options(self) -> dict[str, Any]:
        return {"context": self.context, "class_weights": self.answer.class_weights}

    def splits(self) -> list[Split]:
        return splits_with_files(self._places)

    def clips(self, split: Split) -> list[ClipSource]:
        return [self._source(split, utterance) for utterance in self.utterances(split)]

    def samples(self, split: Split) -> list[Sample]:
        samples = []
        for _, dialogue in groupby(sorted(self.utterances(split), key=_place), key=lambda u: u.dialogue):
            before: list[str] = []
            for utterance in dialogue:
                said = f"{utterance.speaker}: {utterance.text}"
                nearest = before[::-1][: self.context]
                samples.append(
                    Sample(
                        id=_clip(utterance),
                        source=self._source(split, utterance),
                        text=" ".join([said, *nearest]),
                        target=EMOTIONS.index(utterance.emotion),
                        labels=(utterance.emotion,),
                    )
                )
                before.append(said)
        return samples

    def utterances(self, split: Split) -> list[Utterance]:
        """The rows of a split, as they are in the file. Raises as :meth:`samples` does."""
        seen: dict[tuple[int, int], str] = {}

        def once(row: Mapping[str, str], place: str) -> Utterance:
            utterance = _utterance(row, place)
            if (earlier := seen.get(_place(utterance))) is not None:
                raise ValueError(
                    f"{place}: dialogue {utterance.dialogue} has utterance {utterance.number} already, in {earlier}"
                )
            seen[_place(utterance)] = place
            return utterance

        path = first_file(self._places(split))
        return csv_rows(path, once, reading=self.reading, needed=COLUMNS, optional=TIMES)

    def _places(self, split: Split) -> list[Path]:
        root, file = data_folder(self.root, self.name), f"{NAMES[split]}_sent_emo.csv"
        return [root / file, root / NAMES[split] / file]

    def _source(self, split: Split, utterance: Utterance) -> ClipSource:
        assert self.root is not None
        name, archive, file = NAMES[split], FOLDERS[split], f"{_clip(utterance)}.mp4"
        places = [self.root / folder / file for folder in (archive, f"{name}/{archive}", name)]
        return ClipSource(f"{name}/{_clip(utterance)}", clip_file(places))  # each split has a dialogue 0


def _utterance(row: Mapping[str, str], place: str) -> Utterance:
    emotion = row["Emotion"].strip().lower()
    if emotion not in EMOTIONS:
        raise ValueError(f"{place}: field 'Emotion' must be one of {', '.join(EMOTIONS)}, got {row['Emotion']!r:.80}")
    return Utterance(
        dialogue=whole_number(row, "Dialogue_ID", place),
        number=whole_number(row, "Utterance_ID", place),
        speaker=row["Speaker"].translate(C1).strip(),
        text=row["Utterance"].translate(C1).strip(),
        emotion=emotion,
        start=_seconds(row.get("StartTime", "")),
        end=_seconds(row.get("EndTime", "")),
    )


def _place(utterance: Utterance) -> tuple[int, int]:
    return utterance.dialogue, utterance.number


def _clip(utterance: Utterance) -> str:
    return f"dia{utterance.dialogue}_utt{utterance.number}"


def _seconds(cell: str) -> float | None:
    match = TIME.fullmatch(cell.strip())
    if match is None:
        return None
    hours, minutes, seconds, fraction = match.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(f"{seconds}.{fraction}")


def _checked_weights(given: str | Sequence[float] | None) -> Any:
    if given is None or given == "balanced":
        return given
    if isinstance(given, str) or len(given) != len(EMOTIONS) or not all(weight >= 0 for weight in given):
        raise ValueError(f"task.class_weights must be 'balanced' or {len(EMOTIONS)} numbers, 0 or more, got {given!r}")
    return [float(weight) for weight in given]
