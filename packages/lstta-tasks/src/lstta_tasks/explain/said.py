"""Which rows of an answer for every segment are shown, and whether they are of what is seen or of what is heard."""

from __future__ import annotations

from collections.abc import Sequence

from lstta_tasks.answers.description import Answer
from lstta_tasks.explain.palette import NAMES
from lstta_tasks.explain.words import one_line

SHOWN = 6
LEAST = 0.25
"""What a row behind the first has in one segment, to be shown."""
LIKELY = 0.5
"""From this probability on a cell is written on as something that is said."""
FEW = 20
"""Segments up to which cells have numbers."""


def rows(answer: Answer) -> dict[str, Sequence[float]]:
    """The first rows of an answer for every segment: at least one, of the others those with :data:`LEAST` anywhere."""
    shown = list(answer.segments.items())[:SHOWN]
    return dict(row for place, row in enumerate(shown) if place == 0 or max(row[1]) >= LEAST)


def side(name: str) -> str:
    """``sight`` or ``sound`` of a row that is of one of the two; else nothing."""
    end = name.rpartition(", ")[2]
    return end if end in NAMES.values() else ""


def short(name: str, longest: int) -> str:
    """A row's name in few letters, its side whole."""
    end = f", {side(name)}" if side(name) else ""
    return one_line(name.removesuffix(end), longest - len(end)) + end


def written(value: float, segments: int) -> str:
    """What stands in a cell."""
    return f"{100 * value:.0f}" if segments <= FEW and value >= 0.005 else ""
