"""One problem of a task, and the names of its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lstta_tasks.data.clip import ClipSource

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
Target = int | float | Sequence[float] | Sequence[Sequence[float]]
Predictions = Mapping[str, Mapping[str, Any]]
"""By sample id."""


@dataclass(frozen=True)
class TimedText:
    """Words that belong to a time of the clip, such as a subtitle.

    Attributes:
        start: in seconds from the clip's start.
        end: in seconds from there; not before ``start``.
        text: what is said or shown then.
    """

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Sample:
    """One problem of a task.

    Attributes:
        id: unique within its split; predictions are keyed by it.
        source: where its clip is; ``source.id`` is the clip's id in the cache. Several samples may share a clip.
        text: the question, caption or utterance; None where there is none.
        target: what is to be predicted, as the task's kind of answer wants it: a class, a number on a scale, or a row
            of numbers, equally long for all samples, or a row of them for each second.
        labels: what metrics group by, such as the type of a question.
        timed: subtitles; only tasks with ``timed_text`` have them.
        answers: of a task that is answered in words, what is right; the first is what is taught.
    """

    id: str
    source: ClipSource
    text: str | None
    target: Target
    labels: tuple[str, ...] = ()
    timed: tuple[TimedText, ...] = ()
    answers: tuple[str, ...] = ()
