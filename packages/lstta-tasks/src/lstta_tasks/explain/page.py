"""One self-contained HTML page of many explanations: nothing is fetched from anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from math import isnan
from string import Template

import numpy as np

from lstta_core.interfaces import Modality
from lstta_tasks.answers.description import PROBABILITY, Answer
from lstta_tasks.explain import inline, said
from lstta_tasks.explain.excerpt import Media
from lstta_tasks.explain.explanation import Explanation
from lstta_tasks.explain.palette import ATTENTION, COLOURS, DARK_COLOURS, IMPORTANCE, NAMES
from lstta_tasks.explain.timeline import ATTENTION_ROW, IMPORTANCE_ROW, timeline
from lstta_tasks.explain.words import amount, best, one_line, score

SHOWN = 5
"""Choices of an answer; a ranking of texts is shown to its end."""
LONG = 30  # characters of a choice that stands on a line of its own
Rankings = Mapping[str, Sequence[tuple[str, float]]]


def page(
    *,
    title: str,
    subtitle: str,
    articles: Sequence[str],
    rankings: Rankings,
    measure: str,
    failed: Mapping[str, str],
    undrawn: Mapping[str, str] | None = None,
) -> str:
    """The page.

    Args:
        title: of it.
        subtitle: what answered.
        articles: of :func:`article`, in their order.
        rankings: of clips, best first, by text; empty where clips were not compared.
        measure: of the rankings.
        failed: clips that could not be read, with the reason.
        undrawn: clips that could not be drawn, with the reason.
    """
    parts = [_ranking(text, clips, measure) for text, clips in rankings.items()]
    parts += articles
    for heading, reasons in (("Not read", failed), ("Not drawn", undrawn or {})):
        lines = "".join(f"<li>{escape(clip)}: {escape(reason)}</li>" for clip, reason in reasons.items())
        parts += [f"<section><h2>{heading}</h2><ul>{lines}</ul></section>"] if lines else []
    notes = [
        note
        for row, note in ((IMPORTANCE_ROW, IMPORTANCE), (ATTENTION_ROW, ATTENTION))
        if any(row in one for one in articles)
    ]
    template = Template(files("lstta_tasks.explain").joinpath("page.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(title),
        subtitle=escape(subtitle),
        body="\n".join(parts),
        notes="".join(f"<p>{escape(note)}</p>" for note in notes),
        sight=COLOURS[Modality.VISUAL],
        sound=COLOURS[Modality.AUDIO],
        dark_sight=DARK_COLOURS[Modality.VISUAL],
        dark_sound=DARK_COLOURS[Modality.AUDIO],
    )


def article(explanation: Explanation, media: Media) -> str:
    """One explanation, as HTML."""
    address = inline.sound(media)
    player = f'<audio controls preload="auto" src="{address}"></audio>' if address else ""
    ranked = explanation.answer.choices and explanation.answer.measure != PROBABILITY
    asked = "By how well they fit; the curves are of the clip alone" if ranked else explanation.text or "No text"
    return (
        f'<article><p class="soft">{escape(explanation.source.id)} · {explanation.duration:.1f} s</p>'
        f"<h2>{escape(asked)}</h2>{_answer(explanation.answer)}"
        f"{timeline(explanation, media)}{player}{_numbers(explanation)}</article>"
    )


def _answer(answer: Answer) -> str:
    beside = score(answer)
    if answer.choices:
        value = amount(next(iter(answer.choices.values())), answer.measure)
        beside = value if answer.measure == PROBABILITY else f"{answer.measure} {value}"
    long = " long" if any(len(name) > LONG for name in (answer.text, *answer.choices)) else ""
    said = f'<p class="answer{long}">{escape(answer.text)} <small>{escape(beside)}</small></p>'
    if answer.scale is not None and answer.score is not None:
        low, high = answer.scale
        at = 100 * (min(max(answer.score, low), high) - low) / (high - low)
        ends = "".join(
            f'<span style="left: {100 * place}%">{_end(low + place * (high - low))}</span>' for place in (0, 0.5, 1)
        )
        return f'{said}<div class="scale"><i style="left: {at:.1f}%"></i>{ends}</div>'
    if len(answer.choices) < 2:
        return said
    shown = best(answer, SHOWN if answer.measure == PROBABILITY else len(answer.choices))
    low, high = _ends(answer)
    bars = "".join(
        f'<span class="name">{escape(name)}</span>'
        f'<div class="bar"><i style="width: {100 * max(value - low, 0) / (high - low):.1f}%"></i></div>'
        f"<span>{amount(value, answer.measure)}</span>"
        for name, value in shown
    )
    return f'{said}<div class="choices{long}">{bars}</div>'


def _ends(answer: Answer) -> tuple[float, float]:
    """Of the bars: what can be measured has ends of its own, a match goes as far as the choices do."""
    if answer.measure in (PROBABILITY, "cosine"):
        return 0.0, 1.0
    low = min(0.0, *answer.choices.values())
    return low, max(low + 1e-9, *answer.choices.values())


def _end(value: float) -> str:
    return f"{value:+g}".replace("-", "−") if value else "0"


def _numbers(explanation: Explanation) -> str:
    """Every number of the curves, as a table that is folded away."""
    curves = [(f"importance, {NAMES[m]}", "{:.2f}", g) for m, g in explanation.relative_importances.items()]
    curves += [(f"attention, {NAMES[m]}", "{:.1%}", a) for m, a in explanation.attention.items()]
    curves += [(escape(name), "{:.1%}", np.array(row)) for name, row in said.rows(explanation.answer).items()]
    if not curves:
        return ""
    segments = len(curves[0][2])
    edges = explanation.edges(segments)
    head = "".join(f"<th>{name}</th>" for name, _, _ in curves)
    body = "".join(
        f"<tr><td>{edges[t]:.1f}–{edges[t + 1]:.1f}</td>"
        + "".join(f"<td>{'–' if isnan(curve[t]) else form.format(curve[t])}</td>" for _, form, curve in curves)
        + "</tr>"
        for t in range(segments)
    )
    return (
        f'<details><summary>Numbers</summary><div class="scroll"><table><tr><th>segment, s</th>{head}</tr>{body}'
        "</table></div></details>"
    )


def _ranking(text: str, clips: Sequence[tuple[str, float]], measure: str) -> str:
    rows = "".join(
        f'<tr><td>{place}</td><td class="name">{escape(clip)}</td><td>{value:.3f}</td></tr>'
        for place, (clip, value) in enumerate(clips, 1)
    )
    return (
        f"<section><h2>{escape(one_line(text, 300))}</h2><table><tr><th></th><th class='name'>clip</th>"
        f"<th>{escape(measure)}</th></tr>{rows}</table></section>"
    )
