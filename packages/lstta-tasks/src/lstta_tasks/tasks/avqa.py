"""Questions about videos with sound, in the files of MUSIC-AVQA (Li et al., CVPR 2022).

Layout on disk, under ``root``: ``avqa-train.json``, ``avqa-val.json``, ``avqa-test.json``, there or in ``json/``;
``<video_id>.mp4``, there or in ``videos/``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from lstta_tasks.annotations.files import check_inside, clip_file, data_folder, first_file, json_list, parse_json
from lstta_tasks.annotations.reading import Reading
from lstta_tasks.annotations.splits import splits_with_files
from lstta_tasks.answers.one_of_many import OUTSIDE, OneOfMany
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import Sample, Split, Task

AGAIN = "#"
"""In the id of a row whose ``question_id`` an earlier row has: 27 questions of MUSIC-AVQA's val have two answers."""
FIELDS: dict[str, type] = {
    "video_id": str,
    "question_id": int,
    "type": str,
    "question_content": str,
    "templ_values": str,
    "anser": str,  # the data set's own spelling
}


class AVQA(Task):
    """One of the training split's answers to a question (42 in MUSIC-AVQA).

    Accuracy is by type, by modality and overall. The trivial answer is the most frequent one of each type.

    Args:
        root: the folder of the data set; None where only ``answers`` are needed, as for inference.
        answers: the vocabulary; by default the answers of the training split, sorted.
        skip_bad_rows: leave rows out that are malformed, and count them; otherwise they are all named, and refused.
    """

    name = "avqa"
    reading: Reading

    def __init__(
        self, *, root: str | Path | None = None, answers: Sequence[str] | None = None, skip_bad_rows: bool = False
    ) -> None:
        self.reading = Reading(skip_bad_rows=skip_bad_rows)
        self.root = None if root is None else Path(root)
        self._answers = None if answers is None else tuple(answers)

    @cached_property
    def answer(self) -> OneOfMany:
        """Its classes are read from the training split when they are first needed."""
        if self._answers is None:
            self._answers = _vocabulary(self._rows("train"))
        return OneOfMany(self._answers, groups=groups_of, cell=lambda sample: sample.labels[:2], note=_note)

    def options(self) -> dict[str, Any]:
        return {"answers": list(self.answer.classes)}

    def splits(self) -> list[Split]:
        return splits_with_files(self._places)

    def clips(self, split: Split) -> list[ClipSource]:
        videos = dict.fromkeys(row["video_id"] for row in self._rows(split))
        return [self._source(video) for video in videos]

    def samples(self, split: Split) -> list[Sample]:
        rows, times = self._rows(split), Counter[int]()
        if self._answers is None and split == "train":  # the vocabulary without reading the file again
            self._answers = _vocabulary(rows)
        index = {answer: i for i, answer in enumerate(self.answer.classes)}
        samples = []
        for row in rows:
            number = row["question_id"]
            times[number] += 1
            samples.append(
                Sample(
                    id=str(number) if times[number] == 1 else f"{number}{AGAIN}{times[number]}",
                    source=self._source(row["video_id"]),
                    text=row["question"],
                    target=index.get(row["anser"], OUTSIDE),
                    labels=(*row["kinds"], row["anser"]),
                )
            )
        return samples

    def _rows(self, split: Split) -> list[dict[str, Any]]:
        """The rows of a split that are not deleted, each with its ``question`` and its two ``kinds``."""
        path = first_file(self._places(split))
        rows = json_list(path, _checked, reading=self.reading, fields=FIELDS, what="a list of questions")
        if not (kept := [row for row in rows if row]):
            raise ValueError(f"{path}: all questions have question_deleted set")
        return kept

    def _places(self, split: Split) -> list[Path]:
        root = data_folder(self.root, self.name)
        return [root / f"avqa-{split}.json", root / "json" / f"avqa-{split}.json"]

    def _source(self, video_id: str) -> ClipSource:
        assert self.root is not None
        file = f"{video_id}.mp4"
        return ClipSource(id=video_id, video=clip_file([self.root / "videos" / file, self.root / file]))


def _checked(row: dict[str, Any], place: str) -> dict[str, Any]:
    """A row with what is made of it; empty for a question that is deleted."""
    deleted = row.get("question_deleted", 0)
    if deleted not in (0, 1):
        raise ValueError(f"{place}: field 'question_deleted' must be 0 or 1, got {deleted!r:.80}")
    if deleted:
        return {}
    check_inside(row["video_id"], "video_id", place)
    question = fill(row["question_content"], _strings(row, "templ_values", place), place)
    return {**row, "question": question, "kinds": _strings(row, "type", place)}


def _vocabulary(rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(sorted({row["anser"] for row in rows}))


def fill(question: str, values: Sequence[str], place: str) -> str:
    """The question with its placeholders filled from left to right, each replacing the whole word that contains ``<``.

    Raises:
        ValueError: there are more or fewer values than placeholders; ``place`` says where.
    """
    words = question.strip().rstrip("?？").split()
    gaps = [i for i, word in enumerate(words) if "<" in word]
    if len(gaps) != len(values):
        raise ValueError(f"{place}: question_content has {len(gaps)} placeholders, templ_values {len(values)} values")
    for gap, value in zip(gaps, values, strict=True):
        words[gap] = value.replace("_", " ")
    return " ".join(words) + "?"


def _strings(row: Mapping[str, Any], field: str, place: str) -> list[str]:
    """A field that holds a list of strings as a JSON string."""
    try:
        values = parse_json(row[field])
    except ValueError:
        values = None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{place}: field {field!r} must be a list of strings as JSON, got {row[field]!r:.80}")
    if field == "type" and len(values) != 2:
        raise ValueError(f"{place}: field 'type' must name a modality and a kind, got {row['type']!r:.80}")
    return values


def groups_of(sample: Sample) -> list[tuple[str, ...]]:
    """The groups of a question that have an accuracy of their own: its type, and its modality."""
    return [sample.labels[:2], sample.labels[:1]]


def _note(samples: Sequence[Sample]) -> str:
    again = sum(AGAIN in sample.id for sample in samples)
    return f"{again} rows repeat the question_id of another row, and count as rows of their own" if again else ""
