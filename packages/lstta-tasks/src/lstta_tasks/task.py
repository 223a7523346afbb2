"""What a task is: the reader of a data set, and the kind of answer that it wants."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from lstta_tasks.annotations.reading import Reading, each_split
from lstta_tasks.answers.kind import AnswerKind
from lstta_tasks.answers.report import Report, Score
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.sample import SPLITS, Predictions, Sample, Split, TimedText

__all__ = ["SPLITS", "Predictions", "Question", "Report", "Sample", "Score", "Split", "Task", "TimedText"]


@dataclass(frozen=True)
class Question:
    """What somebody asks of a video of their own.

    Attributes:
        text: as a sample of the task would have it; None for none.
        names: what choices of the answer stand for, where the text says so: ``{"A": "A: a dog"}``.
    """

    text: str | None
    names: Mapping[str, str] = field(default_factory=dict)


class Task(ABC):
    """The reader of a data set. Subclasses are final and say in their docstring which files they read.

    Attributes:
        name: that it is registered under.
        unasked: the text where somebody asks without words; None for none.
        timed_text: whether texts have one row a segment: the sample's text, and the subtitles that fall into it.
        clip_seconds: how long a clip is of which a file holds more, from the file's beginning; None for all of it.
        reading: how its files are read, where ``lstta_tasks.annotations`` reads them: training and the doctor tell what
            was left out and what was guessed.
    """

    name: str
    unasked: str | None = None
    timed_text: bool = False
    clip_seconds: float | None = None
    reading: Reading | None = None

    @property
    @abstractmethod
    def answer(self) -> AnswerKind:
        """The kind of answer: head, loss and metrics. One object for all of the task's life."""

    @abstractmethod
    def splits(self) -> list[Split]:
        """The splits whose annotations are there.

        Raises:
            FileNotFoundError: none is.
        """

    @abstractmethod
    def clips(self, split: Split) -> list[ClipSource]:
        """The clips of a split, each once, for the cache; needs no other split. Raises as :meth:`samples` does."""

    @final
    def sources(self, splits: Sequence[Split] | None = None) -> list[ClipSource]:
        """The clips of some splits, by default of all whose annotations are there; each once, in their order.

        Raises:
            ValueError: two different clips have one id.
        """
        clips: dict[str, ClipSource] = {}
        for some in each_split(self.clips, splits or self.splits()).values():
            for clip in some:
                if clips.setdefault(clip.id, clip) != clip:
                    raise ValueError(f"two clips have the id {clip.id!r}: {clips[clip.id]} and {clip}")
        return list(clips.values())

    @abstractmethod
    def samples(self, split: Split) -> list[Sample]:
        """Read the annotations of a split.

        Raises:
            FileNotFoundError: the annotation file is not there.
            ValueError: it is malformed; the message names file, row and field.
        """

    @final
    def clip_of(self, name: str, video: Path) -> ClipSource:
        """A whole file as a clip like those that the task is trained on, see ``clip_seconds``."""
        return ClipSource(name, video, end=self.clip_seconds)

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """What the task must be created with, next to ``root``, to be the same without its training split: JSON."""

    def question(self, text: str, options: Sequence[str] = ()) -> Question:
        """What somebody asks, as the encoder reads it; by default the text as it is.

        Args:
            text: may be empty.
            options: to choose from, for tasks whose texts have them.

        Raises:
            ValueError: there are options and the task has none, or not so many.
        """
        if options:
            raise ValueError(f"the task {self.name} has no options to choose from: ask it without --options")
        return Question(text if text.strip() else self.unasked)
