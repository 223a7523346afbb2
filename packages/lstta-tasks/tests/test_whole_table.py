"""Tables that are wider than the terminal, or than the 80 columns that a pipe is taken for, lose nothing."""

from __future__ import annotations

import pytest
from rich.box import SIMPLE_HEAD
from rich.table import Table

from lstta_tasks.whole_table import print_whole


@pytest.mark.parametrize("width", ["13", "80", "400"])
def test_nothing_is_cut(width: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", width)
    table = Table(box=SIMPLE_HEAD)
    cells = [f"{0.001 * number:.3f} ± 0.0{number}" for number in range(11)]
    for number in range(11):
        table.add_column(f"a task, {number}")
    table.add_row(*cells)
    print_whole(table)
    said = capsys.readouterr().out
    (line,) = (line for line in said.splitlines() if "±" in line)
    assert all(cell in line for cell in cells)
