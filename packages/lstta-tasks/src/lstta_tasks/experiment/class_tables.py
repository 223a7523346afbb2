"""The classes of a split as tables for the terminal: each one's precision, recall and F1, and who is taken for whom."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lstta_tasks.answers.class_table import ClassTable
from lstta_tasks.escaped import escaped

MOST = 12
"""Classes of which the whole matrix is shown."""
PAIRS = 10
"""The commonest mistakes, where there are more."""


def print_classes(table: ClassTable) -> None:
    """Two tables: numbers by class, then the matrix, or where there are many classes the commonest mistakes."""
    console = Console()
    console.print(_numbers(table))
    console.print(_matrix(table) if len(table.names) <= MOST else _mistakes(table))


def _numbers(table: ClassTable) -> Table:
    made = Table(title="by class", box=SIMPLE_HEAD)
    for name in ("", "precision", "recall", "F1", "samples"):
        made.add_column(name, justify="right" if name else "left", no_wrap=True)
    for row in table.rows:
        numbers = [f"{number:.4f}" for number in (row.precision, row.recall, row.f1)]
        made.add_row(Text(escaped(row.name)), *numbers, f"{row.count:,}")
    return made


def _matrix(table: ClassTable) -> Table:
    made = Table(title="confusion: a row is the truth, a column what was said", box=SIMPLE_HEAD)
    made.add_column("", no_wrap=True)
    for name in table.names:
        made.add_column(Text(escaped(name)), justify="right", overflow="fold")
    for place, (name, row) in enumerate(zip(table.names, table.counts.tolist(), strict=True)):
        cells = [
            Text(f"{count:,}" if count else "·", style="bold" if i == place else "") for i, count in enumerate(row)
        ]
        made.add_row(Text(escaped(name)), *cells)
    return made


def _mistakes(table: ClassTable) -> Table:
    made = Table(title="most often confused", box=SIMPLE_HEAD)
    for name in ("truth", "said", "times"):
        made.add_column(name, justify="right" if name == "times" else "left")
    for true, said, count in table.most_confused(PAIRS):
        made.add_row(Text(escaped(true)), Text(escaped(said)), f"{count:,}")
    return made
