"""A study's table, for the terminal and as Markdown."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from lstta_tasks.escaped import escaped
from lstta_tasks.study.summary import Cell, Summary, Watched
from lstta_tasks.whole_table import print_whole


def print_table(summary: Summary, *, markdown: bool = False) -> None:
    """Methods as rows, tasks as columns: mean ± deviation over seeds, (number of seeds) where they differ."""
    header, body = cells(summary)
    if markdown:
        for line in (header, ["---", *["---:"] * (len(header) - 1)], *body):
            print(f"| {' | '.join(line)} |")
        return
    table = Table(box=SIMPLE_HEAD)
    for place, name in enumerate(header):
        table.add_column(Text(name.replace(", ", ",\n")), justify="right" if place else "left", no_wrap=True)
    for line in body:
        table.add_row(*map(Text, line))
    print_whole(table)


def cells(summary: Summary) -> tuple[list[str], list[list[str]]]:
    """The header and the rows, the trivial answers first; at the end how adapters fared, where that was watched."""
    tasks = list(summary.primary)
    header = ["", "trains", *(f"{t}, {summary.primary[t]}{' ↓' if summary.lower[t] else ''}" for t in tasks)]
    trivial = [f"{summary.baselines[t][0]:.3f}" if t in summary.baselines else "" for t in tasks]
    named = dict.fromkeys(summary.baselines[t][1] for t in tasks if t in summary.baselines)
    first = [[", ".join(named), "0", *trivial]] if named else []
    lines = [
        [line.label, f"{line.adapter:,}", *(_cell(line.cells.get(t), summary.seeds) for t in tasks)]
        for line in summary.lines
    ]
    if any(line.watched for line in summary.lines):
        header += ["dead units", "added / token", "jumps"]
        first = [[*line, "", "", ""] for line in first]
        lines = [[*cells, *_fared(line.watched)] for cells, line in zip(lines, summary.lines, strict=True)]
    return [escaped(name) for name in header], [[escaped(cell) for cell in line] for line in first + lines]


def _fared(watched: Watched | None) -> tuple[str, str, str]:
    if watched is None:
        return ("–",) * 3
    dead, added = watched.dead, watched.added
    return ("–" if dead is None else f"{dead:.2f}", "–" if added is None else f"{added:.3f}", str(watched.jumps))


def _cell(cell: Cell | None, seeds: int) -> str:
    if cell is None:
        return ""
    spread = "" if cell.deviation is None else f" ± {cell.deviation:.3f}"
    return f"{cell.mean:.3f}{spread}" + (f" ({len(cell.values)})" if len(cell.values) < seeds else "")
