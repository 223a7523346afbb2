"""What a task is: it reads annotations, owns the last layer, the loss and the metrics of one kind of problem."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Tensor, nn

from lstta_core.interfaces import Modality
from lstta_tasks.answer import Answer
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.network import TaskModel, TaskNetwork, Tower

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
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
        target: what is to be predicted, as the task's loss wants it: a class, or a number on a scale.
        labels: what metrics group by, such as the type of a question.
        timed: subtitles; only tasks with ``timed_text`` have them.
    """

    id: str
    source: ClipSource
    text: str | None
    target: int | float
    labels: tuple[str, ...] = ()
    timed: tuple[TimedText, ...] = ()


@dataclass(frozen=True)
class Score:
    """One line of a report.

    Attributes:
        name: of what is measured; parts are separated by slashes.
        value: the metric.
        count: over how many samples.
        baseline: the same metric of a trivial answer, where one is defined.
        baseline_name: what that answer is.
        lower_is_better: whether this is an error or a rank.
    """

    name: str
    value: float
    count: int
    baseline: float | None = None
    baseline_name: str = ""
    lower_is_better: bool = False


@dataclass(frozen=True)
class Report:
    """The metrics of one split.

    Attributes:
        primary: the name of the score that selection goes by.
        scores: all of them, in the order of a table.
        notes: what a reader must know of them, such as answers outside the vocabulary.
    """

    primary: str
    scores: tuple[Score, ...]
    notes: tuple[str, ...] = field(default=())

    def value(self, name: str) -> float:
        """The value of the score of this name."""
        return self.score(name).value

    @property
    def merit(self) -> float:
        """What selection maximises: the primary score, with its sign turned where lower is better."""
        score = self.score(self.primary)
        return -score.value if score.lower_is_better else score.value

    def score(self, name: str) -> Score:
        """The score of this name."""
        return next(score for score in self.scores if score.name == name)


class Task(ABC):
    """One kind of problem. Subclasses are final and say in their docstring which files they read.

    Attributes:
        name: that it is registered under.
        timed_text: whether texts have one row a segment: the sample's text, and the subtitles that fall into it.
    """

    name: str
    timed_text: bool = False

    @abstractmethod
    def splits(self) -> list[Split]:
        """The splits whose annotations are there.

        Raises:
            FileNotFoundError: none is.
        """

    @abstractmethod
    def clips(self, split: Split) -> list[ClipSource]:
        """The clips of a split, each once, for the cache; needs no other split. Raises as :meth:`samples` does."""

    @abstractmethod
    def samples(self, split: Split) -> list[Sample]:
        """Read the annotations of a split.

        Raises:
            FileNotFoundError: the annotation file is not there.
            ValueError: it is malformed; the message names file, row and field.
        """

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """What the task must be created with, next to ``root``, to be the same without its training split: JSON."""

    def towers(self, modalities: Sequence[Modality]) -> Mapping[str, Sequence[Modality]]:
        """Which modalities adapt together, by the towers' names; by default all of them, in one.

        Args:
            modalities: of the encoders at hand.

        Raises:
            ValueError: the task cannot do without another one.
        """
        return {"trimodal": modalities}

    def network(self, towers: Mapping[str, Tower]) -> TaskNetwork:
        """What is trained, from the towers that :meth:`towers` names; by default the head on the readout of the one."""
        tower = towers["trimodal"]
        return TaskModel(tower=tower, head=self.head(tower.readout.width))

    @abstractmethod
    def head(self, width: int) -> nn.Module:
        """The last layer on a readout: (B, width) to what :meth:`loss` and :meth:`predict` read."""

    @abstractmethod
    def loss(self, output: Any, target: Tensor) -> Tensor:
        """The mean loss of a batch, (), given the network's output and the samples' targets (B,)."""

    @abstractmethod
    def predict(self, output: Any) -> list[dict[str, Any]]:
        """One prediction a sample, given the network's output: JSON-able, unless :meth:`conclude` makes it so."""

    def describe(self, output: Any) -> list[Answer]:
        """:meth:`predict` for people, one answer a sample; by default the names and values of its dicts."""
        return [Answer(", ".join(f"{key}: {value}" for key, value in said.items())) for said in self.predict(output)]

    def second_pass(self, predictions: Predictions, samples: Sequence[Sample]) -> list[Sample]:
        """What to run through the network's ``score`` once a whole split has been predicted; by default nothing.

        Args:
            predictions: of :meth:`predict`, by sample id.
            samples: of the split.

        Returns:
            Samples with clips of the split and ids of their own, such as pairs that are to be ranked again.
        """
        return []

    def conclude(self, predictions: Predictions, samples: Sequence[Sample], scores: Mapping[str, float]) -> Predictions:
        """The predictions for :meth:`report` and for files, JSON-able, keyed by sample id; by default as they are.

        Args:
            predictions: of :meth:`predict`, by sample id.
            samples: of the split.
            scores: of the second pass, by the ids of its samples.
        """
        return predictions

    @abstractmethod
    def report(self, predictions: Predictions, samples: Sequence[Sample]) -> Report:
        """The metrics of the samples that have a prediction, keyed by sample id."""
