"""What was measured of importances, as tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from lstta_tasks.importances.agreement import Mean
from lstta_tasks.importances.measured import Curve, Measured


def print_measured(measured: Measured) -> None:
    """How numbers agree with known seconds, and how the primary score falls."""
    console = Console()
    if any(measured.agreement.values()):
        console.print(_agreement(measured))
    for group, curves in measured.curves.items():
        title = f"{measured.metric} after removing segments: {measured.samples[group]:,} {group}"
        console.print(_curves(title, measured.removed, curves))


def _agreement(measured: Measured) -> Table:
    title = "segments that matter against the rest, as multiples of the clip's mean"
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("", "", "questions"):
        table.add_column(name, no_wrap=True)
    for name in ("matter", "rest", "AUROC", "95 %", "samples"):
        table.add_column(name, justify="right", no_wrap=True)
    for explanation, by_modality in measured.agreement.items():
        for modality, by_type in by_modality.items():
            for kind, found in by_type.items():
                table.add_row(
                    explanation,
                    modality,
                    kind or "all",
                    f"{found.relevant.value:.2f}",
                    f"{found.rest.value:.2f}",
                    f"{found.auroc.value:.3f}",
                    _interval(found.auroc),
                    f"{found.samples:,}",
                    style=None if kind else "bold",
                )
    return table


def _interval(mean: Mean) -> str:
    return f"{mean.low:.2f}…{mean.high:.2f}"


def _curves(title: str, removed: Sequence[int], curves: Sequence[Curve]) -> Table:
    table = Table(title=title, box=SIMPLE_HEAD)
    table.add_column("ranked by", no_wrap=True)
    table.add_column("removed first", no_wrap=True)
    for count in removed:
        table.add_column(str(count), justify="right", no_wrap=True)
    for curve in curves:
        table.add_row(curve.by, curve.way, *(f"{value:.3f}" for value in curve.mean))
    return table
