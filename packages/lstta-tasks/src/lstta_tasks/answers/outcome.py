"""One sample's truth beside what was said of it, alike for all kinds of answer: for tables, files and comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """What is true and what was said.

    Attributes:
        truth: the name of a class, a number, a list of labels; of other kinds the prediction that were wholly right.
        prediction: likewise.
        confidence: the probability of what was said, where a class was said.
    """

    truth: Any
    prediction: Any
    confidence: float | None = None
