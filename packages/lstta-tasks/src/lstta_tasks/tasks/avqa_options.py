"""Questions about videos with sound, with four options each, in the files of AVQA (Yang et al., ACM MM 2022).

Layout on disk, under ``root``: ``train_qa.json`` and ``val_qa.json``, there or in ``json/``; ``<video_name>.mp4``,
there or in ``videos/``. The public files have no third split, and results are published on ``val_qa.json``: here that
file is ``test``, and ``val`` is a tenth of the videos of ``train_qa.json``, by the hash of their names.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from lstta_tasks.annotations.fields import check_fields
from lstta_tasks.annotations.files import clip_file, data_folder, first_file
from lstta_tasks.answer import Answer, of_classes
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.metrics.answered import answered
from lstta_tasks.task import Report, Sample, Score, Split, Task
from lstta_tasks.tasks.closed_vocabulary import likeliest
from lstta_tasks.tasks.held_out import tenth

OPTIONS = 4
LETTERS = "ABCD"
FILES: dict[Split, str] = {"train": "train_qa.json", "val": "train_qa.json", "test": "val_qa.json"}
FIELDS: dict[str, type] = {
    "id": int,
    "video_name": str,
    "question_text": str,
    "multi_choice": list,
    "answer": int,
    "question_relation": str,
    "question_type": str,
}


class AVQAOptions(Task):
    """Which of four options answers the question. The encoder reads the question, then the options with their letters.

    Args:
        root: the folder of the data set; None where there are no annotations to read, as for inference.
    """

    name = "avqa-options"

    def __init__(self, *, root: str | Path | None = None) -> None:
        self.root = None if root is None else Path(root)

    def options(self) -> dict[str, Any]:
        return {}

    def splits(self) -> list[Split]:
        there: list[Split] = [split for split in FILES if any(path.is_file() for path in self._places(split))]
        if not there:
            first_file(self._places("train"))
        return there

    def clips(self, split: Split) -> list[ClipSource]:
        videos = dict.fromkeys(row["video_name"] for row in self._rows(split))
        return [self._source(video) for video in videos]

    def samples(self, split: Split) -> list[Sample]:
        return [
            Sample(
                id=str(row["id"]),
                source=self._source(row["video_name"]),
                text=with_options(row["question_text"], row["multi_choice"]),
                target=row["answer"],
                labels=(row["question_relation"], row["question_type"]),
            )
            for row in self._rows(split)
        ]

    def head(self, width: int) -> nn.Module:
        return nn.Linear(width, OPTIONS)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(output, target)

    def predict(self, output: Tensor) -> list[dict[str, Any]]:
        return likeliest(output, LETTERS, "answer")

    def describe(self, output: Tensor) -> list[Answer]:
        return of_classes(output, LETTERS)

    def report(self, predictions: Mapping[str, Mapping[str, Any]], samples: Sequence[Sample]) -> Report:
        """Accuracy by what the question is about (View, Sound, Both), by its first word, and overall.

        The baseline is the share of the most frequent letter in the samples of that row of the table.
        """
        hits: dict[str, list[bool]] = defaultdict(list)
        letters: dict[str, Counter[str]] = defaultdict(Counter)
        for sample, prediction in zip(*answered(predictions, samples, "probability"), strict=True):
            relation, kind = sample.labels
            truth = LETTERS[int(sample.target)]
            for group in (f"relation/{relation}", f"type/{kind}", "overall"):
                hits[group].append(prediction["answer"] == truth)
                letters[group][truth] += 1
        scores = []
        for group in sorted(hits, key=lambda name: (name == "overall", name)):
            count = len(hits[group])
            letter, most = letters[group].most_common(1)[0]
            scores.append(Score(group, sum(hits[group]) / count, count, most / count, f"always {letter}"))
        return Report("overall", tuple(scores))

    def _places(self, split: Split) -> list[Path]:
        root = data_folder(self.root, self.name)
        return [root / FILES[split], root / "json" / FILES[split]]

    def _rows(self, split: Split) -> Iterator[dict[str, Any]]:
        path = first_file(self._places(split))
        try:
            rows = json.loads(path.read_text(encoding="utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: not JSON ({error})") from error
        if not isinstance(rows, list) or not rows:
            got = "an empty list" if rows == [] else type(rows).__name__
            raise ValueError(f"{path}: a list of questions is wanted, got {got}")
        for number, row in enumerate(rows):
            _check(row, f"{path}, row {number}")
            if split == "test" or (tenth(row["video_name"]) == 0) == (split == "val"):
                yield row

    def _source(self, video: str) -> ClipSource:
        assert self.root is not None
        return ClipSource(video, clip_file([self.root / folder / f"{video}.mp4" for folder in ("videos", "")]))


def with_options(question: str, options: Sequence[str]) -> str:
    """``"What is it? A: a dog B: a cat …"``."""
    return " ".join([question.strip(), *(f"{letter}: {text}" for letter, text in zip(LETTERS, options, strict=True))])


def _check(row: Any, place: str) -> None:
    check_fields(row, FIELDS, place)
    options, answer = row["multi_choice"], row["answer"]
    if len(options) != OPTIONS or not all(isinstance(option, str) for option in options):
        raise ValueError(f"{place}: field 'multi_choice' must be {OPTIONS} texts, got {options!r}")
    if not 0 <= answer < OPTIONS:
        raise ValueError(f"{place}: field 'answer' must be an index from 0 to {OPTIONS - 1}, got {answer}")
