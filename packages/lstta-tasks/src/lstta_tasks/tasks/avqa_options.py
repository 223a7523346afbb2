"""Questions about videos with sound, with four options each, in the files of AVQA (Yang et al., ACM MM 2022).

Layout on disk, under ``root``: ``train_qa.json`` and ``val_qa.json``, there or in ``json/``; ``<video_name>.mp4``,
there or in ``videos/``. The public files have no third split, and results are published on ``val_qa.json``: here that
file is ``test``, and ``val`` is a tenth of the videos of ``train_qa.json``, by the hash of their names.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lstta_tasks.annotations.files import check_inside, clip_file, data_folder, first_file, json_list
from lstta_tasks.annotations.reading import Reading
from lstta_tasks.annotations.splits import splits_with_files
from lstta_tasks.answers.one_of_many import OneOfMany
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import Question, Sample, Split, Task
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

    Accuracy is by what the question is about (View, Sound, Both), by its first word, and overall.

    Args:
        root: the folder of the data set; None where there are no annotations to read, as for inference.
        skip_bad_rows: leave rows out that are malformed, and count them; otherwise they are all named, and refused.
    """

    name = "avqa-options"
    reading: Reading
    answer = OneOfMany(LETTERS, groups=lambda sample: [*zip(("relation", "type"), sample.labels, strict=True)])

    def __init__(self, *, root: str | Path | None = None, skip_bad_rows: bool = False) -> None:
        self.reading = Reading(skip_bad_rows=skip_bad_rows)
        self.root = None if root is None else Path(root)

    def options(self) -> dict[str, Any]:
        return {}

    def splits(self) -> list[Split]:
        return splits_with_files(self._places)

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

    def question(self, text: str, options: Sequence[str] = ()) -> Question:
        """With four options behind the text, whose letters the answer is one of."""
        if not options:
            return super().question(text)
        if len(options) != OPTIONS:
            raise ValueError(f"the task {self.name} wants {OPTIONS} options, got {len(options)}")
        names = {letter: f"{letter}: {option}" for letter, option in zip(LETTERS, options, strict=True)}
        return Question(with_options(text, options), names)

    def _places(self, split: Split) -> list[Path]:
        root = data_folder(self.root, self.name)
        return [root / FILES[split], root / "json" / FILES[split]]

    def _rows(self, split: Split) -> list[dict[str, Any]]:
        path = first_file(self._places(split))
        rows = json_list(path, _checked, reading=self.reading, fields=FIELDS, what="a list of questions")
        return [row for row in rows if split == "test" or (tenth(row["video_name"]) == 0) == (split == "val")]

    def _source(self, video: str) -> ClipSource:
        assert self.root is not None
        return ClipSource(video, clip_file([self.root / folder / f"{video}.mp4" for folder in ("videos", "")]))


def with_options(question: str, options: Sequence[str]) -> str:
    """``"What is it? A: a dog B: a cat …"``."""
    return " ".join([question.strip(), *(f"{letter}: {text}" for letter, text in zip(LETTERS, options, strict=True))])


def _checked(row: dict[str, Any], place: str) -> dict[str, Any]:
    check_inside(row["video_name"], "video_name", place)
    options, answer = row["multi_choice"], row["answer"]
    if len(options) != OPTIONS or not all(isinstance(option, str) for option in options):
        raise ValueError(f"{place}: field 'multi_choice' must be {OPTIONS} texts, got {options!r}")
    if not 0 <= answer < OPTIONS:
        raise ValueError(f"{place}: field 'answer' must be an index from 0 to {OPTIONS - 1}, got {answer}")
    return row
