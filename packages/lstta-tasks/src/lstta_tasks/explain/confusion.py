"""A confusion matrix as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lstta_core.whole_files import write_whole
from lstta_tasks.answers.class_table import ClassTable
from lstta_tasks.explain.words import drawable, one_line

NUMBERED = 30
"""Classes up to which the cells say their numbers."""
LETTERS = 18


def picture(table: ClassTable, title: str) -> NDArray[np.uint8]:
    """(H, W, 3), uint8, RGB."""
    canvas = FigureCanvasAgg(draw(table, title))
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def save_picture(table: ClassTable, title: str, path: Path) -> None:
    """Write a PNG file, whole or not at all."""
    write_whole(path, FigureCanvasAgg(draw(table, title)).print_png)


def draw(table: ClassTable, title: str) -> Figure:
    """A row is a true class, a column one that was said; shades are shares of the row, numbers are samples."""
    names = [drawable(one_line(name, LETTERS)) for name in table.names]
    classes, counts = len(names), table.counts
    cell = 0.5 if classes <= 12 else 0.36 if classes <= NUMBERED else 0.2
    margin = 0.4 + 0.075 * max(map(len, names))
    inner = max(2.2, cell * classes)
    figure = Figure(figsize=(margin + inner + 0.3, inner + margin + 0.7), dpi=110)
    wide, tall = figure.get_size_inches()
    axes = figure.add_axes((margin / wide, (margin + 0.1) / tall, inner / wide, inner / tall))
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    size = 8 if classes <= NUMBERED else 6
    axes.set_xticks(range(classes), names, rotation=90, fontsize=size, parse_math=False)
    axes.set_yticks(range(classes), names, fontsize=size, parse_math=False)
    axes.tick_params(length=0)
    axes.spines[:].set_color("0.8")
    if classes <= NUMBERED:
        smaller = 8 if counts.max() < 1000 else 6
        for true, said in np.argwhere(counts).tolist():
            colour = "white" if shares[true, said] > 0.6 else "black"
            axes.text(said, true, f"{counts[true, said]}", ha="center", va="center", fontsize=smaller, color=colour)
    axes.set_xlabel("said", fontsize=9, color="0.3")
    axes.set_ylabel("truth", fontsize=9, color="0.3")
    figure.text(0.06 / wide, 1 - 0.25 / tall, drawable(title), fontsize=9, va="center", parse_math=False)
    return figure
