"""Questions about videos with sound, in the files of MUSIC-AVQA (Li et al., CVPR 2022).

Layout on disk, under ``root``: ``avqa-train.json``, ``avqa-val.json``, ``avqa-test.json``, there or in ``json/``;
``<video_id>.mp4``, there or in ``videos/``.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from lstta_tasks.annotations.fields import check_fields
from lstta_tasks.annotations.files import clip_file, data_folder, first_file
from lstta_tasks.answer import Answer, of_classes
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.metrics.answered import answered
from lstta_tasks.task import SPLITS, Report, Sample, Score, Split, Task
from lstta_tasks.tasks.closed_vocabulary import OUTSIDE, known_cross_entropy, likeliest

AGAIN = "#"
"""In the id of a row whose ``question_id`` an earlier row has: 27 questions of MUSIC-AVQA's val have two answers."""


class AVQA(Task):
    """One of the training split's answers to a question (42 in MUSIC-AVQA).

    Args:
        root: the folder of the data set; None where only ``answers`` are needed, as for inference.
        answers: the vocabulary; by default the answers of the training split, sorted.
    """

    name = "avqa"

    def __init__(self, *, root: str | Path | None = None, answers: Sequence[str] | None = None) -> None:
        self.root = None if root is None else Path(root)
        self._answers = None if answers is None else tuple(answers)

    @property
    def answers(self) -> tuple[str, ...]:
        """The vocabulary, read from the training split when it is first needed."""
        if self._answers is None:
            self._answers = _vocabulary(self._rows("train"))
        return self._answers

    def options(self) -> dict[str, Any]:
        return {"answers": list(self.answers)}

    def splits(self) -> list[Split]:
        there = [split for split in SPLITS if any(path.is_file() for path in self._places(split))]
        if not there:
            first_file(self._places("train"))
        return there

    def clips(self, split: Split) -> list[ClipSource]:
        videos = dict.fromkeys(row["video_id"] for _, row in self._rows(split))
        return [self._source(video) for video in videos]

    def samples(self, split: Split) -> list[Sample]:
        rows = list(self._rows(split))
        if self._answers is None and split == "train":  # the vocabulary without reading the file again
            self._answers = _vocabulary(rows)
        index = {answer: i for i, answer in enumerate(self.answers)}
        times: Counter[int] = Counter()
        samples = []
        for place, row in rows:
            number = row["question_id"]
            times[number] += 1
            samples.append(
                Sample(
                    id=str(number) if times[number] == 1 else f"{number}{AGAIN}{times[number]}",
                    source=self._source(row["video_id"]),
                    text=fill(row["question_content"], _strings(row, "templ_values", place), place),
                    target=index.get(row["anser"], OUTSIDE),
                    labels=(*_question_type(row, place), row["anser"]),
                )
            )
        return samples

    def head(self, width: int) -> nn.Module:
        return nn.Linear(width, len(self.answers))

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return known_cross_entropy(output, target)

    def predict(self, output: Tensor) -> list[dict[str, Any]]:
        return likeliest(output, self.answers, "answer")

    def describe(self, output: Tensor) -> list[Answer]:
        return of_classes(output, self.answers)

    def report(self, predictions: Mapping[str, Mapping[str, Any]], samples: Sequence[Sample]) -> Report:
        """Accuracy by type, by modality and overall: right answers over questions, never a mean of means.

        The baseline of a type is the share of its most frequent answer in these very samples; that of a modality and
        of all is what those answers reach together.
        """
        right: dict[tuple[str, ...], list[bool]] = defaultdict(list)
        truths: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        there, found = answered(predictions, samples, "probability")
        for sample, prediction in zip(there, found, strict=True):
            modality, kind, truth = sample.labels
            groups: list[tuple[str, ...]] = [(modality, kind), (modality,), ()]
            for group in groups:
                right[group].append(prediction["answer"] == truth)
            truths[modality, kind][truth] += 1
        majority = {group: counter.most_common(1)[0] for group, counter in truths.items()}
        scores = []
        for group in sorted(right, key=lambda group: (len(group) == 0, len(group) == 1, group)):
            count = len(right[group])
            by_majority = sum(hits for inner, (_, hits) in majority.items() if inner[: len(group)] == group)
            name = majority[group][0] if group in majority else "majority by type"
            scores.append(
                Score("/".join(group) or "overall", sum(right[group]) / count, count, by_majority / count, name)
            )
        outside = sum(sample.target == OUTSIDE for sample in there)
        again = sum(AGAIN in sample.id for sample in there)
        notes = {
            f"{outside} questions have an answer outside the vocabulary of train and count as wrong": outside,
            f"{again} rows repeat the question_id of another row, and count as rows of their own": again,
        }
        return Report("overall", tuple(scores), tuple(note for note, count in notes.items() if count))

    def _rows(self, split: Split) -> Iterator[tuple[str, dict[str, Any]]]:
        """The rows of a split that are not deleted, each with its place for messages."""
        path = first_file(self._places(split))
        try:
            rows = json.loads(path.read_text(encoding="utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: not JSON ({error})") from error
        if not isinstance(rows, list) or not rows:
            got = "an empty list" if rows == [] else type(rows).__name__
            raise ValueError(f"{path}: a list of questions is wanted, got {got}")
        kept = 0
        for number, row in enumerate(rows):
            place = f"{path}, row {number}"
            check_fields(row, FIELDS, place)
            if row.get("question_deleted", 0) not in (0, 1):
                raise ValueError(f"{place}: field 'question_deleted' must be 0 or 1, got {row['question_deleted']!r}")
            if not row.get("question_deleted"):
                kept += 1
                yield place, row
        if not kept:
            raise ValueError(f"{path}: all {len(rows)} questions have question_deleted set")

    def _places(self, split: Split) -> list[Path]:
        root = data_folder(self.root, self.name)
        return [root / f"avqa-{split}.json", root / "json" / f"avqa-{split}.json"]

    def _source(self, video_id: str) -> ClipSource:
        assert self.root is not None
        file = f"{video_id}.mp4"
        return ClipSource(id=video_id, video=clip_file([self.root / "videos" / file, self.root / file]))


FIELDS: dict[str, type] = {
    "video_id": str,
    "question_id": int,
    "type": str,
    "question_content": str,
    "templ_values": str,
    "anser": str,  # the data set's own spelling
}


def _vocabulary(rows: Iterable[tuple[str, dict[str, Any]]]) -> tuple[str, ...]:
    return tuple(sorted({row["anser"] for _, row in rows}))


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
        values = json.loads(row[field])
    except json.JSONDecodeError as error:
        raise ValueError(f"{place}: field {field!r} must be a list of strings as JSON, got {row[field]!r}") from error
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{place}: field {field!r} must be a list of strings as JSON, got {row[field]!r}")
    return values


def _question_type(row: Mapping[str, Any], place: str) -> tuple[str, str]:
    values = _strings(row, "type", place)
    if len(values) != 2:
        raise ValueError(f"{place}: field 'type' must name a modality and a kind, got {row['type']!r}")
    return values[0], values[1]
