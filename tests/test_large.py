"""The page on large data sets has the tables that its script makes of what was measured."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))


def test_the_page_has_the_tables() -> None:
    from large import tables

    measured = json.loads((ROOT / "benchmarks" / "results" / "large.json").read_text(encoding="utf-8"))
    assert tables(measured, clips=1_000_000, epochs=5) in (ROOT / "docs" / "large.md").read_text(encoding="utf-8")
