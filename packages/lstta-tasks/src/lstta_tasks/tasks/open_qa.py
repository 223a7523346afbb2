"""Questions about videos with sound that are answered in words, in the files of MUSIC-AVQA, see :mod:`.avqa`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from lstta_core.generation import Decoding
from lstta_tasks.annotations.reading import Reading
from lstta_tasks.answers.words import Words
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import Sample, Split, Task
from lstta_tasks.tasks.avqa import AVQA, groups_of


class OpenQA(Task):
    """The questions of ``avqa``, whose answer is said and not chosen from a list.

    The share of exact answers is by type, by modality and overall, beside the most frequent answer of each type.

    Args:
        root: the folder of the data set; None where there are no annotations to read, as for inference.
        length: the most tokens of an answer.
        beams: how many answers are followed at once when one is made; 1 is greedy.
        skip_bad_rows: leave rows out that are malformed, and count them; otherwise they are all named, and refused.
    """

    name = "open-qa"
    reading: Reading

    def __init__(
        self, *, root: str | Path | None = None, length: int = 8, beams: int = 1, skip_bad_rows: bool = False
    ) -> None:
        self._questions = AVQA(root=root, answers=(), skip_bad_rows=skip_bad_rows)
        self.reading = self._questions.reading
        decoding = Decoding(length=length, beams=beams)
        self._answer = Words(
            metrics="exact", decoding=decoding, groups=groups_of, cell=lambda sample: sample.labels[:2]
        )

    @property
    def answer(self) -> Words:
        return self._answer

    def options(self) -> dict[str, Any]:
        return {"length": self.answer.decoding.length, "beams": self.answer.decoding.beams}

    def splits(self) -> list[Split]:
        return self._questions.splits()

    def clips(self, split: Split) -> list[ClipSource]:
        return self._questions.clips(split)

    def samples(self, split: Split) -> list[Sample]:
        asked = self._questions.samples(split)
        # The last of a question's labels is its answer, with blanks where the vocabulary has underscores.
        return [replace(sample, target=0, answers=(sample.labels[-1].replace("_", " "),)) for sample in asked]
