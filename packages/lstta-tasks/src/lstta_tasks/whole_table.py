"""Tables of which nothing is cut, however narrow the terminal is."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

MOST = 10_000
"""Columns of the widest table."""


def print_whole(table: Table) -> None:
    """Print a table as wide as it needs to be: a narrow terminal folds its lines, a file or a pipe has them whole."""
    needed = Console(width=MOST).measure(table).maximum
    Console(width=max(Console().width, needed)).print(table)
