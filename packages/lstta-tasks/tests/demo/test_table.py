"""The demo's table and the peers beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console

from lstta_tasks.demo.peers import peers
from lstta_tasks.demo.table import Column, column, table


def details(value: float, trainable: int) -> dict[str, Any]:
    names = ("Audio-Visual/Moment", "Visual/Order", "Audio-Visual", "overall")
    scores = [{"name": name, "value": value, "count": 11, "baseline": 0.125} for name in names]
    return {"scores": scores, "samples": 23, "primary": "overall", "trainable_parameters": trainable}


def written(columns: list[Column]) -> str:
    console = Console(width=160)
    with console.capture() as capture:
        console.print(table(details(0.5, 7), columns))
    return capture.get()


def test_both_models_stand_beside_the_most_frequent_answer() -> None:
    text = written([column("frozen", details(0.25, 700), 700), column("LSTTA", details(0.875, 3700), 700)])
    moment = next(line.split() for line in text.splitlines() if "Moment" in line)
    assert moment == ["Audio-Visual/Moment", "11", "0.125", "0.250", "0.875"]
    assert next(line.split()[-2:] for line in text.splitlines() if "adapters" in line) == ["0", "3,000"]
    assert not any(line.strip().startswith("Audio-Visual ") for line in text.splitlines())


def test_without_a_study_there_are_no_peers(tmp_path: Path) -> None:
    assert peers(tmp_path / "none") == []


def test_peers_have_the_rate_that_is_best_on_val(tmp_path: Path) -> None:
    runs = [("bottleneck", 1e-3, 0, 0.5, 0.4), ("bottleneck", 1e-3, 1, 0.3, 0.2), ("bottleneck", 3e-3, 0, 0.4, 0.9)]
    for place, (method, rate, seed, val, test) in enumerate([*runs, ("none", 1e-3, 0, 0.9, 0.9)]):
        result = {
            "method": method,
            "seed": seed,
            "searched": {"lr": rate},
            "val": {"merit": val},
            "test": {"scores": {"overall": test}},
            "parameters": {"adapter": 5, "head": 3},
        }
        (tmp_path / f"{place}.json").write_text(json.dumps(result))
    (found,) = peers(tmp_path)
    assert found.label == "bottleneck (study)"
    assert abs(found.scores["overall"] - 0.3) < 1e-9
