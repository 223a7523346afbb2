"""Peers of the demo at the same budget, as a committed study has them: they are printed beside what the demo trains."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean
from typing import Any

from lstta_tasks.demo.table import Column

RESULTS = Path("studies/results/demo/played")
"""Of the study ``demo``, in a checkout: a file each run, as ``lstta compare demo`` writes them."""
PEERS = {"bottleneck": "bottleneck", "lora": "LoRA"}


def peers(results: Path = RESULTS) -> list[Column]:
    """A column for each peer that the study has runs of, at the rate that is best on val: means over its seeds."""
    runs = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("*.json"))]
    columns = []
    for method, label in PEERS.items():
        own = [run for run in runs if run["method"] == method and "diverged" not in run]
        if own:
            best = max(own, key=lambda run: run["val"]["merit"])
            columns.append(_column(label, [run for run in own if run["searched"] == best["searched"]]))
    return columns


def _column(label: str, runs: list[dict[str, Any]]) -> Column:
    tests = [run["test"]["scores"] for run in runs]
    parameters = runs[0]["parameters"]
    scores = {name: mean(scores[name] for scores in tests) for name in tests[0]}
    return Column(f"{label} (study)", scores, parameters["adapter"], parameters["head"])
