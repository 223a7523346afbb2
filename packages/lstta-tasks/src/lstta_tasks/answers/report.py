"""The metrics of a split, each beside what a trivial answer reaches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lstta_core.finite import NotFiniteError
from lstta_tasks.sample import Predictions, Sample


class DivergedError(NotFiniteError):
    """No metric is defined for what the model predicts; the message says for which sample, and the way out."""


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


def answered(
    predictions: Predictions, samples: Sequence[Sample], number: str | None = None
) -> tuple[list[Sample], list[Mapping[str, Any]]]:
    """Samples with a prediction, and their predictions.

    Args:
        predictions: by sample id.
        samples: of the split.
        number: the field of a prediction that has to be a finite number, if one has to be.

    Raises:
        ValueError: there is none.
        DivergedError: a prediction is NaN or infinite.
    """
    with_one = [sample for sample in samples if sample.id in predictions]
    if not with_one:
        raise ValueError(f"none of the {len(samples)} samples has a prediction")
    for sample in with_one:
        value = 0.0 if number is None else predictions[sample.id][number]
        if not math.isfinite(value):
            raise DivergedError(
                f"sample {sample.id}: the predicted {number} is {value}; no metric is defined for it. "
                "Did training diverge? Look at the loss, and lower the learning rate"
            )
    return with_one, [predictions[sample.id] for sample in with_one]
