"""Questions about videos with sound that are answered in words: the files of MUSIC-AVQA, see :mod:`.avqa`, or of AVSD,
see :mod:`.avsd`."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from lstta_core.generation import Decoding
from lstta_tasks.annotations.reading import Reading
from lstta_tasks.answers.text_metrics import check_installed
from lstta_tasks.answers.words import Words
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import Sample, Split, Task
from lstta_tasks.tasks.avqa import AVQA, groups_of
from lstta_tasks.tasks.avsd import Dialogues


class OpenQA(Task):
    """The questions of ``avqa``, or those of AVSD's dialogues, whose answer is said and not chosen from a list.

    Of MUSIC-AVQA's questions the share of exact answers is told by type, by modality and overall, beside the most
    frequent answer of each type; of AVSD's, whose answers are sentences, CIDEr-D and what goes with it.

    Args:
        root: the folder of the data set; None where there are no annotations to read, as for inference.
        length: the most tokens of an answer.
        beams: how many answers are followed at once when one is made; 1 is greedy.
        history: of AVSD, how many turns of the dialogue stand in front of a question.
        skip_bad_rows: leave rows out that are malformed, and count them; otherwise they are all named, and refused.

    Raises:
        ValueError: an option is out of range.
    """

    name = "open-qa"
    reading: Reading

    def __init__(
        self,
        *,
        root: str | Path | None = None,
        length: int = 8,
        beams: int = 1,
        history: int = 3,
        skip_bad_rows: bool = False,
    ) -> None:
        if history < 0:
            raise ValueError(f"task.history must be 0 or more, got {history}")
        self.root = None if root is None else Path(root)
        self.history = history
        self.decoding = Decoding(length=length, beams=beams)
        self._questions = AVQA(root=root, answers=(), skip_bad_rows=skip_bad_rows)
        self.reading = self._questions.reading

    @cached_property
    def answer(self) -> Words:
        """How it is measured follows from what the folder holds."""
        if self._dialogues is not None:
            return Words(metrics="captions", decoding=self.decoding)
        return Words(metrics="exact", decoding=self.decoding, groups=groups_of, cell=lambda sample: sample.labels[:2])

    def options(self) -> dict[str, Any]:
        return {"length": self.decoding.length, "beams": self.decoding.beams, "history": self.history}

    def splits(self) -> list[Split]:
        return (self._dialogues or self._questions).splits()

    def clips(self, split: Split) -> list[ClipSource]:
        return (self._dialogues or self._questions).clips(split)

    def samples(self, split: Split) -> list[Sample]:
        if self._dialogues is not None:
            check_installed()
            return self._dialogues.samples(split)
        asked = self._questions.samples(split)
        # The last of a question's labels is its answer, with blanks where the vocabulary has underscores.
        return [replace(sample, target=0, answers=(sample.labels[-1].replace("_", " "),)) for sample in asked]

    @cached_property
    def _dialogues(self) -> Dialogues | None:
        """Where the folder is one of AVSD."""
        if self.root is None or not Dialogues.are_in(self.root):
            return None
        return Dialogues(self.root, history=self.history, reading=self.reading)
