"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lstta_tasks.escaped import escaped
from lstta_tasks.task import Report


def print_report(report: Report, details: Mapping[str, Any]) -> None:
    """A split's metrics beside their baselines, then what must be known of them."""
    table = Table(title=f"{details['split']} split: {details['samples']:,} samples", box=SIMPLE_HEAD)
    for name in ("", "value", "samples", "baseline", ""):
        table.add_column(name, justify="left" if not name else "right", no_wrap=True)
    for score in report.scores:
        baseline = "" if score.baseline is None else f"{score.baseline:.4f}"
        style = "bold" if score.name == report.primary else None
        cells = (score.name, f"{score.value:.4f}", f"{score.count:,}", baseline, score.baseline_name or "")
        table.add_row(*(Text(escaped(cell)) for cell in cells), style=style)
    console = Console()
    console.print(table)
    trainable, total = details["trainable_parameters"], details["total_parameters"]
    console.print(f"trainable parameters {trainable:,} of {total:,} ({trainable / total:.1%})", highlight=False)
    if details["missing_clips"]:
        names = details["missing_clips"]
        shown = ", ".join(map(escaped, names[:5])) + (" …" if len(names) > 5 else "")
        console.print(
            f"{len(names)} clips are not in the cache, their samples were left out: {shown}",
            highlight=False,
            markup=False,
        )
    for note in report.notes:
        console.print(escaped(note, lines=True), highlight=False, markup=False)
