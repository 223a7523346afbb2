"""The time axis of a page: rows of frames, subtitles, sound, importances and attention, as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

import numpy as np

from lstta_core.interfaces import Modality
from lstta_tasks.answers.description import PROBABILITY
from lstta_tasks.explain import axis, inline, said
from lstta_tasks.explain.excerpt import Media
from lstta_tasks.explain.explanation import Curve, Explanation
from lstta_tasks.explain.heard_words import word_rows
from lstta_tasks.explain.palette import DASHES, LISTENED, NAMES
from lstta_tasks.explain.spectrogram import rows_at, spectrogram
from lstta_tasks.explain.words import amount

WIDTH, HEIGHT = 1000, 100  # of drawings, in their own units
VISUAL, AUDIO = Modality.VISUAL, Modality.AUDIO
LINES, BARS = {VISUAL: "━", AUDIO: "╍"}, {VISUAL: "■", AUDIO: "□"}
BLOCKS = {VISUAL: "▀", AUDIO: "▄"}
IMPORTANCE_ROW, ATTENTION_ROW = "importance,<br> × clip's mean<br>", "attention,<br> % per segment<br>"
"""How these rows of a page begin."""


def timeline(explanation: Explanation, media: Media) -> str:
    """All rows of one explanation, one above the other."""
    rows = [_row("frames", _frames(explanation, media))]
    if explanation.timed:
        rows.append(_row("subtitles", _subtitles(explanation)))
    heard = "" if media.hears_all or not media.clip.has_sound else "<br> <b class='sound'>▂ heard</b>"
    rows.append(_row(f"sound, kHz{heard}", _sound(explanation, media)))
    if explanation.importances:
        rows.append(_row(f"{IMPORTANCE_ROW} {_key(explanation.importances, LINES)}", _importances(explanation)))
    if explanation.attention:
        rows.append(_row(f"{ATTENTION_ROW} {_key(explanation.attention, BARS)}", _attention(explanation)))
    if words := word_rows(explanation):
        key = _key(explanation.answer.words[0].listened, BLOCKS)
        rows.append(_row(f"what was heard,<br> word by word<br> {key}", f'<p class="soft">{LISTENED}</p>'))
        rows += [_row(label, track, "word") for label, track in words]
    rows += [_row(*one) for one in _said(explanation)]
    rows.append(_row(f"time, {axis.unit(explanation.duration)}", _axis(explanation.duration)))
    rows.append('<div class="playhead"></div>')
    return f'<div class="timeline" data-duration="{explanation.duration:.6f}">{"".join(rows)}</div>'


def _row(label: str, track: str, kind: str = "") -> str:
    return f'<div class="row {kind}"><div class="label">{label}</div><div class="track">{track}</div></div>'


def _key(curves: Mapping[Modality, Curve], marks: Mapping[Modality, str]) -> str:
    return " ".join(f"<b class='{NAMES[m]}'>{marks[m]} {NAMES[m]}</b>" for m in curves)


def _frames(explanation: Explanation, media: Media) -> str:
    if not media.clip.has_video:
        return '<div class="none">no pictures</div>'
    outlined = explanation.most_attended(VISUAL)
    strip = media.strip(outlined=outlined)
    segments = len(media.clip.frames)
    spans = [round((end - start) / explanation.duration * segments) for start, end, _ in strip]
    within = [outlined is not None and start <= sum(outlined) / 2 < end for start, end, _ in strip]
    images = "".join(
        f'<img src="{inline.frame(pixels)}"{_spare(place, within)} style="grid-column: span {wide}"'
        f' alt="at {(start + end) / 2:.1f} s">'
        for place, ((start, end, pixels), wide) in enumerate(zip(strip, spans, strict=True))
    )
    many = " many" if len(strip) >= 6 and len(strip) % 2 == 0 else ""
    return (
        f'<div class="strip{many}" style="grid-template-columns: repeat({segments}, 1fr); --wide: {2 * spans[0]}">'
        f"{images}</div>{_outline(explanation, VISUAL)}"
    )


def _spare(place: int, outlined: Sequence[bool]) -> str:
    """Marks what a narrow screen leaves out: one of each two frames, never the outlined one."""
    pair = place - place % 2
    shown = pair + 1 if any(outlined[pair + 1 : pair + 2]) else pair
    return "" if place == shown else ' class="spare"'


def _sound(explanation: Explanation, media: Media) -> str:
    if not media.clip.has_sound:
        return '<div class="none">no sound</div>'
    rate = media.preprocessing.sample_rate
    hertz = np.array([h for h in (500, 1000, 2000, 4000) if h < rate / 2], dtype=np.float64)
    marks = "".join(
        f'<span class="tick" style="top: {100 * (1 - at):.1f}%">{h / 1000:g}</span>'
        for h, at in zip(hertz, rows_at(hertz, rate), strict=True)
    )
    heard = "".join(
        f'<i class="heard" style="{_between(start, end, explanation.duration)}"></i>' for start, end in media.heard
    )
    picture = f'<img src="{inline.colours(spectrogram(media))}" alt="spectrogram">'
    return (
        f'<div class="spectrogram">{picture}</div>{marks}{"" if media.hears_all else heard}'
        f"{_outline(explanation, AUDIO)}"
    )


def _subtitles(explanation: Explanation) -> str:
    def line(start: float, end: float, text: str) -> str:
        place = _between(start, end, explanation.duration)
        from_right = start > 0.6 * explanation.duration
        edge = 100 * (1 - end / explanation.duration) if from_right else 100 * start / explanation.duration
        side = f"{'right' if from_right else 'left'}: {max(edge, 0):.2f}%; max-width: {100 - max(edge, 0):.2f}%"
        return f'<p title="{escape(text)}"><i style="{place}"></i><span style="{side}">{escape(text)}</span></p>'

    return f'<div class="subtitles">{"".join(line(t.start, t.end, t.text) for t in explanation.timed)}</div>'


def _importances(explanation: Explanation) -> str:
    low, high = axis.importance_span(explanation)
    paths = [_even(_height(1, low, high))]
    for modality, curve in explanation.relative_importances.items():
        heights = [_height(value, low, high) for value in curve]
        dash = f' stroke-dasharray="{DASHES[modality]}"' if DASHES[modality] else ""
        paths.append(f'<path class="{NAMES[modality]}" d="{_steps(heights)}"{dash}/>')
    ticks = "".join(
        f'<span class="tick" style="top: {_height(value, low, high):.1f}%">{value:.2f}</span>'
        for value in (1 + 0.8 * (high - 1), 1, max(1 - 0.8 * (1 - low), 0))
    )
    return _drawing([*paths, *_hover(explanation)]) + ticks


def _said(explanation: Explanation) -> Iterator[tuple[str, str]]:
    """A row for each thing that is said of segments: its name, and a cell a segment, the darker the likelier."""
    for name, values in said.rows(explanation.answer).items():
        edges = explanation.edges(len(values))
        cells = "".join(
            f'<i style="--p: {value:.3f}" class="{"likely" if value >= said.LIKELY else ""}" title="{escape(name)}, '
            f'{start:.1f}–{end:.1f} s: {amount(value, PROBABILITY)}">{said.written(value, len(values))}</i>'
            for value, start, end in zip(values, edges, edges[1:], strict=False)
        )
        side = said.side(name)
        yield f'<span class="{side}">{escape(name)}</span>', f'<div class="cells {side}">{cells}</div>'


def _attention(explanation: Explanation) -> str:
    highest = max(float(shares.max()) for shares in explanation.attention.values()) * 1.25
    parts, peaks, count = [], [], len(explanation.attention)
    for place, (modality, shares) in enumerate(explanation.attention.items()):
        step = WIDTH / len(shares)
        width = 0.8 * step / count
        for segment, share in enumerate(shares):
            left, height = segment * step + 0.1 * step + place * width, HEIGHT * share / highest
            parts.append(
                f'<rect class="{NAMES[modality]}" x="{left:.1f}" y="{HEIGHT - height:.2f}" width="{width * 0.94:.1f}" '
                f'height="{height:.2f}"/>'
            )
        if explanation.most_attended(modality) is not None:
            most = int(shares.argmax())
            across = (most + 0.1 + (place + 0.5) * 0.8 / count) / len(shares)
            peaks.append((across, modality, shares[most]))
        even = 1 / len(shares)
    tick = f'<span class="tick" style="top: {100 * (1 - even / highest):.1f}%">{100 * even:.3g} %</span>'
    # Of two, the left one is written to the left and the right one to the right: bars may be narrower than numbers.
    sides = ("before", "after") if len(peaks) == 2 else ("alone",)
    written = "".join(
        f'<span class="peak {side} {NAMES[modality]}" style="left: {100 * across:.2f}%; '
        f'top: {100 * (1 - share / highest):.1f}%">{amount(share, PROBABILITY)}</span>'
        for side, (across, modality, share) in zip(sides, sorted(peaks, key=lambda peak: peak[0]), strict=False)
    )
    return _drawing([_even(HEIGHT * (1 - even / highest)), *parts, *_hover(explanation)]) + written + tick


def _axis(duration: float) -> str:
    marks = []
    for place, time in enumerate(axis.ticks(duration)):
        kinds = " ".join(
            name for name, applies in (("odd", place % 2), ("end", time > 0.97 * duration and place > 0)) if applies
        )
        at = f"left: {100 * time / duration:.2f}%"
        marks.append(f'<span class="{kinds}" style="{at}">{axis.clock(time, duration)}</span>')
    return f'<div class="axis">{"".join(marks)}</div>'


def _drawing(parts: list[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none">{"".join(parts)}</svg>'


def _even(height: float) -> str:
    return f'<path class="even" d="M0 {height:.2f}H{WIDTH}"/>'


def _height(value: float, low: float, high: float) -> float:
    return HEIGHT * (1 - (value - low) / (high - low))


def _steps(heights: list[float]) -> str:
    """A path of one level stretch a segment, with a gap where a height is NaN."""
    step, parts, before = WIDTH / len(heights), [], False
    for place, height in enumerate(heights):
        if np.isnan(height):
            before = False
            continue
        parts.append(f"{'V' if before else f'M{place * step:.1f} '}{height:.2f}H{(place + 1) * step:.1f}")
        before = True
    return "".join(parts)


def _hover(explanation: Explanation) -> Iterator[str]:
    """A clear field over each segment that says its numbers."""
    curves = explanation.attention or explanation.importances
    segments = len(next(iter(curves.values())))
    edges, step = explanation.edges(segments), WIDTH / segments
    for segment in range(segments):
        said = [f"{edges[segment]:.1f}–{edges[segment + 1]:.1f} s"]
        said += [f"importance of {NAMES[m]} {g[segment]:.2f}" for m, g in explanation.relative_importances.items()]
        said += [f"attention to {NAMES[m]} {a[segment]:.1%}" for m, a in explanation.attention.items()]
        yield (
            f'<rect class="over" x="{segment * step:.1f}" y="0" width="{step:.1f}" height="{HEIGHT}">'
            f"<title>{', '.join(said)}</title></rect>"
        )


def _outline(explanation: Explanation, modality: Modality) -> str:
    segment = explanation.most_attended(modality)
    if segment is None:
        return ""
    return f'<i class="outline {NAMES[modality]}" style="{_between(*segment, explanation.duration)}"></i>'


def _between(start: float, end: float, duration: float) -> str:
    left, right = max(start / duration, 0), min(end / duration, 1)
    return f"left: {100 * left:.3f}%; width: {100 * max(right - left, 0):.3f}%"
