"""A study's figure: the score of each method against the parameters that it trains."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import geometric_mean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from lstta_core.whole_files import write_whole
from lstta_tasks.study.summary import Summary

ALIKE = 1.05
"""Methods whose sizes differ by less than this factor are drawn side by side."""
STEP = 1.025
# 12 markers and 13 colours have no common divisor: 156 methods all look different.
MARKERS = "osD^vP*X<>hd"
COLOURS = [f"C{number}" for number in (7, 1, 2, 3, 4, 5, 0, 6, 8, 9)] + ["black", "darkblue", "gold"]


def draw(path: Path, summary: Summary) -> None:
    """A panel for each task: mean over seeds, the deviation as a bar, the trivial answer as a line; a PNG file.

    A mark is open where there is one seed. The horizontal axis counts what trains on the task in all, readout and head
    included. Methods of nearly one size are moved apart in the order of their sizes, so that they can be told from
    each other.
    """
    figure = figure_of(summary)
    write_whole(path, lambda draft: figure.savefig(draft, format="png"))


def figure_of(summary: Summary) -> Figure:
    """What :func:`draw` writes; its legend names every method once, whichever panels it is in."""
    tasks = list(summary.primary)
    figure = Figure(figsize=(1.2 + 3.6 * len(tasks), 5.2), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(tasks), squeeze=False)[0]
    for panel, task in zip(panels, tasks, strict=True):
        _panel(panel, task, summary)
    looks = [_look(number) for number in range(len(summary.lines))]
    labels = [line.label for line in summary.lines]
    if any(cell.deviation is None for line in summary.lines for cell in line.cells.values()):
        looks.append({"marker": "o", "color": "0.3", "markerfacecolor": "none"})
        labels.append("open: one seed")
    handles = [Line2D([], [], linestyle="none", markersize=5, **look) for look in looks]
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return figure


def _panel(panel: Axes, task: str, summary: Summary) -> None:
    places = _places({line.key: line.cells[task].trains for line in summary.lines if task in line.cells})
    for number, line in enumerate(summary.lines):
        if task not in line.cells:
            continue
        cell = line.cells[task]
        panel.errorbar(
            places[line.key],
            cell.mean,
            yerr=cell.deviation,
            linestyle="none",
            markersize=5,
            capsize=2,
            elinewidth=1,
            **_look(number) | ({"markerfacecolor": "none"} if cell.deviation is None else {}),
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
    panel.set_xlabel("trainable parameters, head included\n(nearly equal ones side by side)", fontsize=8)
    panel.set_ylabel(f"{summary.primary[task]} on test{', lower is better' if summary.lower[task] else ''}", fontsize=8)
    panel.tick_params(labelsize=7)
    panel.grid(alpha=0.25)


def _look(number: int) -> dict[str, Any]:
    return {"marker": MARKERS[number % len(MARKERS)], "color": COLOURS[number % len(COLOURS)]}


def _places(sizes: Mapping[str, int]) -> dict[str, float]:
    """Where methods stand; those of nearly one size side by side around it, the smaller ones first."""
    groups: list[list[str]] = []
    for key in sorted(sizes, key=lambda key: sizes[key]):
        if groups and sizes[key] < ALIKE * sizes[groups[-1][-1]]:
            groups[-1].append(key)
        else:
            groups.append([key])
    places: dict[str, float] = {}
    for group in groups:
        middle = geometric_mean([sizes[key] for key in group])
        for place, key in enumerate(group):
            places[key] = middle * STEP ** (place - (len(group) - 1) / 2)
    return places
