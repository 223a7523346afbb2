"""The demo's table: the share of right answers by type of question, and what was trained for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table


@dataclass(frozen=True)
class Column:
    """A model of the table.

    Attributes:
        label: for people.
        scores: shares of right answers by row, as the test split's report names them.
        adapter: how many parameters of it are trained, readout and head apart.
        head: those of readout and head.
    """

    label: str
    scores: Mapping[str, float]
    adapter: int
    head: int


def column(label: str, details: Mapping[str, Any], head: int) -> Column:
    """Of what ``lstta test --json`` writes.

    Args:
        label: for people.
        details: the file's content.
        head: how many parameters readout and head have, the same for every method.
    """
    scores = {score["name"]: score["value"] for score in details["scores"]}
    return Column(label, scores, details["trainable_parameters"] - head, head)


def table(details: Mapping[str, Any], columns: list[Column]) -> Table:
    """Rows are those of the report, without sums over the kinds of one modality.

    A terminal of 80 columns has room for four models.

    Args:
        details: of any of the runs: types of question, their numbers, and their most frequent answers.
        columns: models.
    """
    made = Table(
        title=f"right answers on the test split, {details['samples']:,} questions",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    made.add_column("question", no_wrap=True)
    for name in ("asked", "most\nfrequent", *(column.label.replace(" ", "\n", 1) for column in columns)):
        made.add_column(name, justify="right", no_wrap=True)
    for score in details["scores"]:
        name, overall = score["name"], score["name"] == details["primary"]
        if "/" in name or overall:
            cells = [f"{column.scores[name]:.3f}" if name in column.scores else "" for column in columns]
            style = "bold" if overall else None
            made.add_row(name, f"{score['count']:,}", f"{score['baseline']:.3f}", *cells, style=style)
    made.add_section()
    made.add_row("adapters train", "", "", *(f"{column.adapter:,}" for column in columns))
    made.add_row("readout, head train", "", "", *(f"{column.head:,}" for column in columns))
    return made
