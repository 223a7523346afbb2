"""What was measured of importances, as tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from lstta_core.interfaces import Modality
from lstta_tasks.escaped import escaped
from lstta_tasks.explain.palette import NAMES
from lstta_tasks.importances.agreement import Mean
from lstta_tasks.importances.measured import Curve, Measured
from lstta_tasks.whole_table import print_whole


def print_measured(measured: Measured) -> None:
    """How numbers agree with known seconds, and how the primary score falls."""
    if any(measured.agreement.values()):
        print_whole(_agreement(measured))
    for group, curves in measured.curves.items():
        title = escape(escaped(f"{measured.metric} after removing segments: {measured.samples[group]:,} {group}"))
        print_whole(_curves(title, measured.removed, curves))


def _agreement(measured: Measured) -> Table:
    title = "segments that matter against the rest, as multiples of the clip's mean"
    table = _table(title, [""], ("matter", "rest", "AUROC", "95 %", "samples"))
    for explanation, by_modality in measured.agreement.items():
        for modality, by_group in by_modality.items():
            for group, agreement in by_group.items():
                table.add_row(
                    Text(escaped(f"  {group}" if group else f"{explanation}, {NAMES[Modality(modality)]}")),
                    f"{agreement.relevant.value:.2f}",
                    f"{agreement.rest.value:.2f}",
                    f"{agreement.auroc.value:.3f}",
                    _interval(agreement.auroc),
                    f"{agreement.samples:,}",
                    style=None if group else "bold",
                )
    return table


def _interval(mean: Mean) -> str:
    return "–" if mean.low is None else f"{mean.low:.3f}…{mean.high:.3f}"


def _curves(title: str, removed: Sequence[int], curves: Sequence[Curve]) -> Table:
    table = _table(title, ("ranked by", "removed first"), [str(count) for count in removed])
    for curve in curves:
        table.add_row(curve.by, curve.way.removesuffix(" first"), *(f"{value:.3f}" for value in curve.mean))
    return table


def _table(title: str, texts: Sequence[str], numbers: Sequence[str]) -> Table:
    """That fits a terminal of 80 columns, unless it has more to say."""
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in texts:
        table.add_column(name, no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table
