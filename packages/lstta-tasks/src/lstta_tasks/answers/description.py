"""What is said of a sample, for people to read. Predictions, which metrics read, are dicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lstta_core.modality import Modality

PROBABILITY = "probability"


@dataclass(frozen=True)
class Word:
    """A token of an answer in words.

    Attributes:
        text: of it, with the blank before it where there is one.
        listened: (T,) by modality, to which segments whatever said it listened: shares that add up to 1 over all.
    """

    text: str
    listened: Mapping[Modality, NDArray[np.float64]]


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        text: in a few words.
        choices: what there was to choose from, best first, each with its ``measure``; empty where there was no list.
        measure: what the numbers are.
        score: where the answer is a number.
        scale: between which ends the score's scale lies, where it has ends.
        words: of an answer in words, token by token, where it is told what each listened to.
        segments: of an answer for every segment, by what may be said of it, the probability in each, 0 to 1; those that
            are said of any segment first.
    """

    text: str
    choices: Mapping[str, float] = field(default_factory=dict)
    measure: str = PROBABILITY
    score: float | None = None
    scale: tuple[float, float] | None = None
    words: Sequence[Word] = ()
    segments: Mapping[str, Sequence[float]] = field(default_factory=dict)


def likeliest(probabilities: Mapping[str, float]) -> Answer:
    """The choice with the highest probability, of equals the first, and all of them in order."""
    choices = dict(sorted(probabilities.items(), key=lambda choice: -choice[1]))
    return Answer(next(iter(choices)), choices)
