"""A study's figure: the score of each method against the parameters that it trains."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import geometric_mean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from lstta_core.whole_files import write_whole
from lstta_tasks.study.summary import Line, Summary

ALIKE = 1.05
"""Methods whose sizes differ by less than this factor are drawn side by side."""
STEP = 1.025
# 12 markers and 13 colours have no common divisor: 156 methods all look different.
MARKERS = "osD^vP*X<>hd"
COLOURS = [f"C{number}" for number in (7, 1, 2, 3, 4, 5, 0, 6, 8, 9)] + ["black", "darkblue", "gold"]


def draw(path: Path, summary: Summary) -> None:
    """A panel for each task: mean over seeds, the deviation as a bar, the trivial answer as a line; a PNG file.

    The horizontal axis counts what trains in all, readout and head included. Methods of nearly one size are moved
    apart, so that they can be told from each other.
    """
    figure = figure_of(summary)
    write_whole(path, lambda draft: figure.savefig(draft, format="png"))


def figure_of(summary: Summary) -> Figure:
    """What :func:`draw` writes; its legend names every method once, whichever panels it is in."""
    tasks = list(summary.primary)
    figure = Figure(figsize=(1.2 + 3.6 * len(tasks), 5.2), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(tasks), squeeze=False)[0]
    places = _places(summary.lines)
    for panel, task in zip(panels, tasks, strict=True):
        _panel(panel, task, summary, places)
    handles = [Line2D([], [], linestyle="none", markersize=5, **_look(number)) for number in range(len(summary.lines))]
    labels = [line.label for line in summary.lines]
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return figure


def _panel(panel: Axes, task: str, summary: Summary, places: dict[str, float]) -> None:
    for number, line in enumerate(summary.lines):
        if task not in line.cells:
            continue
        cell = line.cells[task]
        panel.errorbar(
            places[line.key],
            cell.mean,
            yerr=cell.deviation or 0,
            linestyle="none",
            markersize=5,
            capsize=2,
            elinewidth=1,
            **_look(number),
        )
    if task in summary.baselines:
        value, name = summary.baselines[task]
        panel.axhline(value, color="0.7", linewidth=1, linestyle=":")
        across = panel.get_yaxis_transform()
        panel.text(0.98, value, name, fontsize=7, color="0.4", ha="right", va="bottom", transform=across)
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 4, 5, 7)))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1000:g} k"))
    panel.set_title(task, fontsize=10)
    panel.set_xlabel("trainable parameters, head included", fontsize=8)
    panel.set_ylabel(f"{summary.primary[task]} on test{', lower is better' if summary.lower[task] else ''}", fontsize=8)
    panel.tick_params(labelsize=7)
    panel.grid(alpha=0.25)


def _look(number: int) -> dict[str, Any]:
    return {"marker": MARKERS[number % len(MARKERS)], "color": COLOURS[number % len(COLOURS)]}


def _places(lines: Sequence[Line]) -> dict[str, float]:
    """Where methods stand; those of nearly one size side by side around it."""
    groups: list[list[Line]] = []
    for line in sorted(lines, key=_size):
        if groups and _size(line) < ALIKE * _size(groups[-1][-1]):
            groups[-1].append(line)
        else:
            groups.append([line])
    places: dict[str, float] = {}
    for group in groups:
        middle = geometric_mean([_size(line) for line in group])
        ordered = sorted(group, key=lines.index)
        for place, line in enumerate(ordered):
            places[line.key] = middle * STEP ** (place - (len(group) - 1) / 2)
    return places


def _size(line: Line) -> int:
    return line.adapter + line.head
