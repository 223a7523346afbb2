"""One answer as one picture: frames, sound, importances and attention on one time axis."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lstta_core.whole_files import write_whole
from lstta_tasks.answers.description import PROBABILITY
from lstta_tasks.explain import axis, panels, said
from lstta_tasks.explain.excerpt import Media
from lstta_tasks.explain.explanation import Explanation
from lstta_tasks.explain.palette import ATTENTION, IMPORTANCE
from lstta_tasks.explain.words import amount, best, drawable, one_line, score

SHOWN = 4  # choices in the title
WIDTH, LEFT, RIGHT, TOP, BOTTOM, BETWEEN = 10.0, 0.85, 0.6, 0.65, 0.45, 0.12
"""Of the picture and its margins, in inches."""
NOTE = 0.14
LONGEST = 85
"""Letters of the line that says the answer."""
Panel = Callable[[Axes, Explanation, Media], None]


def picture(explanation: Explanation, media: Media, truth: str | None = None) -> NDArray[np.uint8]:
    """(H, W, 3), uint8, RGB; with the true answer beside the model's, where it is known."""
    canvas = FigureCanvasAgg(draw(explanation, media, truth))
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def save_picture(explanation: Explanation, media: Media, path: Path) -> None:
    """Write a PNG file, whole or not at all."""
    write_whole(path, FigureCanvasAgg(draw(explanation, media)).print_png)


def draw(explanation: Explanation, media: Media, truth: str | None = None) -> Figure:
    """The figure; its margins are fixed, since laying out by trial takes as long as drawing."""
    rows: list[tuple[float, Panel]] = [
        (panels.strip_height(media, WIDTH - LEFT - RIGHT), panels.frames),
        (1.3 if media.clip.has_sound else 0.4, panels.sound),
    ]
    if explanation.timed:
        rows.insert(1, (0.2 + 0.17 * len(explanation.timed[: panels.LINES]), panels.subtitles))
    rows += [(1.2, panels.importances)] * bool(explanation.importances)
    rows += [(1.2, panels.attention)] * bool(explanation.attention)
    if shown := said.rows(explanation.answer):
        rows.append((0.08 + 0.2 * len(shown), panels.said_of_segments))
    notes = "\n".join(fill(note, 165) for note in _notes(explanation))
    beneath = BOTTOM + NOTE * (notes.count("\n") + 1)
    inner = sum(height for height, _ in rows) + BETWEEN * (len(rows) - 1)
    tall = TOP + inner + beneath
    figure = Figure(figsize=(WIDTH, tall), dpi=110)
    below = tall - TOP
    for height, panel in rows:
        below -= height
        place = (LEFT / WIDTH, below / tall, 1 - (LEFT + RIGHT) / WIDTH, height / tall)
        axes = figure.add_axes(place)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
        axes.set_xlim(0, explanation.duration)
        axes.set_xticks([])
        panel(axes, explanation, media)
        axes.set_xlim(0, explanation.duration)
        axes.yaxis.set_label_coords(-0.05, 0.5)
        below -= BETWEEN
    times = axis.ticks(explanation.duration)
    axes.set_xticks(times, [axis.clock(time, explanation.duration) for time in times])
    axes.set_xlabel(f"time in {axis.unit(explanation.duration)}", fontsize=9, labelpad=1)
    asked, answered = titles(explanation)
    told = "" if truth is None else drawable(f"truth: {one_line(truth, 30)}")
    if told:
        answered = one_line(answered, LONGEST - 3 - len(told))
        right, height = 1 - RIGHT / WIDTH, 1 - 0.44 / tall
        figure.text(right, height, told, fontsize=11, color="0.25", va="center", ha="right", parse_math=False)
    figure.text(LEFT / WIDTH, 1 - 0.2 / tall, asked, fontsize=9, color="0.3", va="center", parse_math=False)
    figure.text(LEFT / WIDTH, 1 - 0.44 / tall, answered, fontsize=12, weight="bold", va="center", parse_math=False)
    figure.text(LEFT / WIDTH, 0.05 / tall, notes, fontsize=7, color="0.3", va="bottom")
    return figure


def _notes(explanation: Explanation) -> list[str]:
    notes = [(IMPORTANCE, explanation.importances), (ATTENTION, explanation.attention)]
    return [note for note, curves in notes if curves]


def titles(explanation: Explanation) -> tuple[str, str]:
    """The clip and what was asked; what was answered."""
    answer = explanation.answer
    asked = explanation.text or "no text"
    if not answer.choices:
        said = f"{answer.text} {score(answer)}"
    elif answer.measure == PROBABILITY:
        said = " · ".join(f"{one_line(name, 24)} {amount(value, PROBABILITY)}" for name, value in best(answer, SHOWN))
    else:
        asked = f"{answer.measure} with {len(answer.choices)} texts; the curves are of the clip alone"
        said = f"{amount(answer.choices[answer.text], answer.measure)} {answer.text}"
    return drawable(one_line(f"{explanation.source.id} · {asked}", 140)), drawable(one_line(said, LONGEST))
