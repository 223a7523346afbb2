"""An answer token by token, and which segments of sight and sound each listened to: rows under a page's timeline."""

from __future__ import annotations

from html import escape

import numpy as np

from lstta_tasks.answers.description import Word
from lstta_tasks.explain.explanation import Curve, Explanation
from lstta_tasks.explain.palette import NAMES


def word_rows(explanation: Explanation) -> list[tuple[str, str]]:
    """Label and track of each token, of the whole answer first: a cell a segment, sight above sound.

    The darkest cell of the page's answer is what was listened to most. Empty where nothing is told.
    """
    words = explanation.answer.words
    if not words:
        return []
    most = max(float(curve.max(initial=0)) for word in words for curve in word.listened.values())
    mean = {m: np.mean([word.listened[m] for word in words], 0) for m in words[0].listened}
    rows = [("in all", Word("in all", mean)), *((word.text.strip() or "␣", word) for word in words)]
    return [(f"<b>{escape(label)}</b>", _cells(word, explanation, most or 1.0)) for label, word in rows]


def _cells(word: Word, explanation: Explanation, most: float) -> str:
    segments = len(next(iter(word.listened.values())))
    edges = explanation.edges(segments)
    cells = "".join(
        f'<span title="{_said(word, place, edges)}">'
        + "".join(
            f'<i class="{NAMES[m]}" style="opacity: {min(1.0, float(curve[place]) / most):.2f}"></i>'
            for m, curve in word.listened.items()
        )
        + "</span>"
        for place in range(segments)
    )
    return f'<div class="listened" style="grid-template-columns: repeat({segments}, 1fr)">{cells}</div>'


def _said(word: Word, place: int, edges: Curve) -> str:
    shares = ", ".join(f"{NAMES[m]} {curve[place]:.0%}" for m, curve in word.listened.items())
    return escape(f"{word.text.strip()}: {edges[place]:.1f} to {edges[place + 1]:.1f} s, {shares}", quote=True)
