"""What a task says of a sample, for people to read. Predictions, which metrics read, are dicts of the task's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

PROBABILITY = "probability"


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        text: in a few words.
        choices: what there was to choose from, best first, each with its ``measure``; empty where there was no list.
        measure: what the numbers are.
        score: where the task gives a number.
        scale: between which ends the score's scale lies, where it has ends.
    """

    text: str
    choices: Mapping[str, float] = field(default_factory=dict)
    measure: str = PROBABILITY
    score: float | None = None
    scale: tuple[float, float] | None = None


def of_classes(output: Tensor, classes: Sequence[str]) -> list[Answer]:
    """The likeliest class of each row of logits (B, C), and the probability of every one."""
    return [_likeliest(dict(zip(classes, row, strict=True))) for row in output.float().softmax(-1).tolist()]


def of_two(output: Tensor, yes: str, no: str) -> list[Answer]:
    """``yes`` where the probability is at least one half, of logits (B, 1)."""
    return [_likeliest({yes: p, no: 1 - p}) for p in output.float().squeeze(-1).sigmoid().tolist()]


def _likeliest(probabilities: Mapping[str, float]) -> Answer:
    choices = dict(sorted(probabilities.items(), key=lambda choice: -choice[1]))
    return Answer(next(iter(choices)), choices)
