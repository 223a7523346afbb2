"""Texts as titles and labels."""

from __future__ import annotations

from matplotlib.font_manager import FontProperties, findfont, get_font

from lstta_tasks.answers.description import PROBABILITY, Answer

LEAST = 0.005


def one_line(text: str, longest: int) -> str:
    """One line of a text, at most so many characters long."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def drawable(text: str) -> str:
    """The text with a box for each character that matplotlib's font lacks, such as most emoji."""
    font = get_font(findfont(FontProperties()))
    return "".join(letter if font.get_char_index(ord(letter)) else "□" for letter in text)


def amount(value: float, measure: str) -> str:
    """``87 %`` of a probability, three decimals of anything else."""
    if measure != PROBABILITY:
        return f"{value:.3f}".replace("-", "−")
    return f"{100 * value:.{0 if value >= 0.095 else 1}f}\N{NO-BREAK SPACE}%"


def best(answer: Answer, most: int) -> list[tuple[str, float]]:
    """The best choices of an answer, at most so many; not those behind the first whose probability rounds to 0 %."""
    first, *others = list(answer.choices.items())[:most]
    return [first, *((name, value) for name, value in others if answer.measure != PROBABILITY or value >= LEAST)]


def score(answer: Answer) -> str:
    """``+0.81, from −3 to +3`` of an answer with a score; else nothing."""
    if answer.score is None:
        return ""
    ends = "" if answer.scale is None else ", from {:+g} to {:+g}".format(*answer.scale)
    return f"{answer.score:+.2f}{ends}".replace("-", "−")
