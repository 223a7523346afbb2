"""What is said of a sample, for people to read. Predictions, which metrics read, are dicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PROBABILITY = "probability"


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        text: in a few words.
        choices: what there was to choose from, best first, each with its ``measure``; empty where there was no list.
        measure: what the numbers are.
        score: where the answer is a number.
        scale: between which ends the score's scale lies, where it has ends.
    """

    text: str
    choices: Mapping[str, float] = field(default_factory=dict)
    measure: str = PROBABILITY
    score: float | None = None
    scale: tuple[float, float] | None = None


def likeliest(probabilities: Mapping[str, float]) -> Answer:
    """The choice with the highest probability, of equals the first, and all of them in order."""
    choices = dict(sorted(probabilities.items(), key=lambda choice: -choice[1]))
    return Answer(next(iter(choices)), choices)
