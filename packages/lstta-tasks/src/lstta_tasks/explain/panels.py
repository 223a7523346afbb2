"""The rows of a picture, each on a matplotlib panel whose horizontal axis is the clip's time in seconds."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from lstta_core.interfaces import Modality
from lstta_tasks.answers.description import PROBABILITY
from lstta_tasks.explain import axis, said
from lstta_tasks.explain.excerpt import Media
from lstta_tasks.explain.explanation import Explanation
from lstta_tasks.explain.palette import COLOURS, DASHES, NAMES, SPECTROGRAM
from lstta_tasks.explain.spectrogram import RANGE, rows_at, spectrogram
from lstta_tasks.explain.words import amount, drawable, one_line

LINES = 6  # of subtitles
LEAST = 0.005  # of the clip, that a mark is wide
GREY, HATCH = "0.45", "0.85"
SIDES = {NAMES[m]: colour for m, colour in COLOURS.items()}
VISUAL, AUDIO = Modality.VISUAL, Modality.AUDIO


def strip_height(media: Media, width: float) -> float:
    """How high a strip of this width must be for frames to keep their shape, in the unit of the width."""
    height, across = media.clip.frames.shape[2:4]
    return min(max(width / len(media.strip()) * height / across, 0.4), 1.6) if media.clip.has_video else 0.4


def frames(panel: Axes, explanation: Explanation, media: Media) -> None:
    """The frames of the clip, with a border around the segment that has most of the attention to sight."""
    panel.set_ylabel("frames", fontsize=9)
    panel.set_yticks([])
    panel.spines[["left", "bottom"]].set_visible(False)
    if not media.clip.has_video:
        return _nothing(panel, "no pictures")
    panel.set_ylim(0, 1)
    outlined = explanation.most_attended(VISUAL)
    for start, end, pixels in media.strip(outlined=outlined):
        gap = 0.004 * explanation.duration
        panel.imshow(pixels, extent=(start + gap / 2, end - gap / 2, 0, 1), aspect="auto", interpolation="antialiased")
    _outline(panel, outlined, VISUAL)


def sound(panel: Axes, explanation: Explanation, media: Media) -> None:
    """Its spectrogram likewise; where the model heard less than all, the spans that it heard are marked below."""
    panel.set_ylabel("sound, kHz" if media.clip.has_sound else "sound", fontsize=9)
    if not media.clip.has_sound:
        panel.set_yticks([])
        return _nothing(panel, "no sound")
    rate = media.preprocessing.sample_rate
    panel.patch.set(hatch="////", edgecolor=HATCH, facecolor="white")
    panel.imshow(
        spectrogram(media),
        extent=(0, explanation.duration, 0, 1),
        origin="lower",
        aspect="auto",
        cmap=SPECTROGRAM,
        vmin=-RANGE,
        vmax=0,
        interpolation="antialiased",
    )
    panel.set_ylim(0, 1)
    hertz = np.array([h for h in (100, 500, 1000, 2000, 4000, 8000, 16000) if h <= rate / 2], dtype=np.float64)
    panel.set_yticks(rows_at(hertz, rate), [f"{h / 1000:g}" for h in hertz])
    if not media.hears_all:
        panel.set_ylabel("sound, kHz\n(marked: heard)", fontsize=9)
        for start, end in media.heard:
            wide = max(end - start, LEAST * explanation.duration)
            mark = Rectangle(((start + end - wide) / 2, -0.07), wide, 0.06, color=COLOURS[AUDIO])
            mark.set_clip_on(False)
            panel.add_patch(mark)
    _outline(panel, explanation.most_attended(AUDIO), AUDIO)


def subtitles(panel: Axes, explanation: Explanation, media: Media) -> None:
    """The first subtitles, a line each, over the time that they are shown."""
    panel.set_ylabel("subtitles", fontsize=9)
    panel.set_yticks([])
    lines = explanation.timed[:LINES]
    panel.set_ylim(len(lines) - 0.4, -0.6)
    for place, line in enumerate(lines):
        panel.plot([line.start, line.end], [place, place], color="0.8", linewidth=9, solid_capstyle="butt")
        right = line.start > 0.6 * explanation.duration
        panel.text(
            line.end if right else line.start,
            place,
            drawable(one_line(line.text, 80)),
            fontsize=8,
            va="center",
            ha="right" if right else "left",
            clip_on=True,
            parse_math=False,
        )


def importances(panel: Axes, explanation: Explanation, media: Media) -> None:
    """The importance of each segment over its clip's mean."""
    panel.set_ylabel("importance,\n× clip's mean", fontsize=9)
    panel.axhline(1, color=GREY, linewidth=0.8, linestyle=":", zorder=0)
    ends = {}
    for modality, curve in explanation.relative_importances.items():
        edges = explanation.edges(len(curve))
        dash = tuple(float(length) for length in DASHES[modality].split())
        panel.stairs(
            curve,
            edges,
            baseline=None,
            color=COLOURS[modality],
            linewidth=2,
            linestyle=(0, dash) if dash else "-",
        )
        ends[modality] = float(curve[np.isfinite(curve)][-1])
    low, high = axis.importance_span(explanation)
    panel.set_ylim(low, high)
    _direct_labels(panel, {m: (value - low) / (high - low) for m, value in ends.items()})


def attention(panel: Axes, explanation: Explanation, media: Media) -> None:
    """The share of each segment in the readout's attention."""
    panel.set_ylabel("attention,\n% per segment", fontsize=9)
    labels = {}
    for place, (modality, shares) in enumerate(explanation.attention.items()):
        edges = explanation.edges(len(shares))
        width = explanation.duration / len(shares) * 0.8 / len(explanation.attention)
        left = edges[:-1] + explanation.duration / len(shares) * 0.1 + place * width
        hatch = "////" if DASHES[modality] else ""
        panel.bar(
            left,
            100 * shares,
            width,
            align="edge",
            color=COLOURS[modality],
            hatch=hatch,
            edgecolor="white",
            linewidth=0,
        )
        if explanation.most_attended(modality) is not None:
            most = int(shares.argmax())
            where = (left[most] + width / 2, 100 * shares[most])
            said = amount(shares[most], PROBABILITY)
            panel.text(*where, said, fontsize=7, ha="center", va="bottom", color=COLOURS[modality])
        labels[modality] = 0.75 - 0.35 * place
        even = 100 / len(shares)
    panel.axhline(even, color=GREY, linewidth=0.8, linestyle=":")
    panel.margins(y=0.2)
    _direct_labels(panel, labels)


def said_of_segments(panel: Axes, explanation: Explanation, media: Media) -> None:
    """A row for each thing that is said of segments, a cell a segment: the likelier the darker, in per cent."""
    rows = said.rows(explanation.answer)
    segments = len(next(iter(rows.values())))
    edges = explanation.edges(segments)
    ground = np.ones(3)
    for place, (name, values) in enumerate(rows.items()):
        colour = np.array(to_rgb(SIDES.get(said.side(name), "0.1")))
        cells = ground + 0.9 * np.array(values)[:, None] * (colour - ground)
        panel.imshow(cells[None], extent=(0, explanation.duration, place + 0.42, place - 0.42), aspect="auto")
        for middle, value in zip((edges[:-1] + edges[1:]) / 2, values, strict=True):
            likely = value >= said.LIKELY
            ink, weight = ("white", "bold") if likely else ("0.35", "normal")
            text = said.written(value, segments)
            panel.text(middle, place, text, fontsize=6.5, color=ink, weight=weight, ha="center", va="center")
    panel.set_ylim(len(rows) - 0.5, -0.5)
    panel.set_yticks(range(len(rows)), [drawable(said.short(name, 17)) for name in rows], parse_math=False)
    panel.tick_params(axis="y", labelsize=6.5, length=0, pad=2)
    panel.spines["left"].set_visible(False)


def _direct_labels(panel: Axes, heights: dict[Modality, float]) -> None:
    """The names of curves to the right of a panel, at heights between 0 and 1, kept apart."""
    order = sorted(heights, key=lambda m: heights[m])
    places = [heights[m] for m in order]
    if len(places) == 2 and places[1] - places[0] < 0.18:
        middle = min(max(sum(places) / 2, 0.09), 0.91)
        places = [middle - 0.09, middle + 0.09]
    for modality, place in zip(order, places, strict=True):
        panel.text(
            1.005, place, NAMES[modality], transform=panel.transAxes, color=COLOURS[modality], fontsize=9, va="center"
        )


def _outline(panel: Axes, segment: tuple[float, float] | None, modality: Modality) -> None:
    if segment is not None:
        start, end = segment
        border = Rectangle((start, 0), end - start, 1, fill=False, edgecolor=COLOURS[modality], linewidth=3)
        border.set_clip_on(False)
        panel.add_patch(border)


def _nothing(panel: Axes, text: str) -> None:
    panel.text(0.5, 0.5, text, transform=panel.transAxes, ha="center", va="center", color=GREY, fontsize=10)
