"""Predictions sample by sample, beside the truth: as JSON lines, which ``lstta significance`` reads, and as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lstta_core.whole_files import json_text, write_text
from lstta_tasks.task import Predictions, Sample, Task

SUFFIXES = (".csv", ".jsonl")
Row = dict[str, Any]


def rows_of(
    task: Task, samples: Sequence[Sample], predictions: Predictions, choices: Mapping[str, Mapping[str, float]]
) -> list[Row]:
    """A row for each sample that has a prediction: ``sample``, ``clip``, ``truth``, ``prediction``.

    Where a class was said, its probability is there as ``confidence``; where ``choices`` has them, the probabilities of
    all as ``probabilities``.
    """
    rows = []
    for sample in samples:
        if sample.id not in predictions:
            continue
        outcome = task.answer.outcome(sample, predictions[sample.id])
        row = {"sample": sample.id, "clip": sample.source.id, "truth": outcome.truth, "prediction": outcome.prediction}
        if outcome.confidence is not None:
            row["confidence"] = outcome.confidence
        if choices.get(sample.id):
            row["probabilities"] = _ordered(choices[sample.id], task.answer.classes)
        rows.append(row)
    return rows


def check_suffix(path: Path) -> Path:
    """The path, where its name says a form that is written; a ValueError otherwise."""
    if path.suffix not in SUFFIXES:
        raise ValueError(f"--predictions {path}: a name that ends in {' or '.join(SUFFIXES)} is wanted")
    return path


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows into a file whose suffix says how, whole or not at all.

    A CSV file has a column ``p(NAME)`` for each probability; what is no text and no number, such as a list of labels,
    stands in it as JSON.
    """
    write_text(path, _as_csv(rows) if check_suffix(path).suffix == ".csv" else _as_lines(rows, path))


def _as_lines(rows: Iterable[Row], path: Path) -> str:
    return "".join(f"{json_text(row, path, indent=None).strip()}\n" for row in rows)


def _as_csv(rows: Sequence[Row]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row.get("probabilities", ())))
    fixed = [name for name in ("sample", "clip", "truth", "prediction", "confidence") if any(name in r for r in rows)]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*fixed, *(f"p({name})" for name in names)])
    for row in rows:
        given = row.get("probabilities", {})
        cells = [*(row.get(name, "") for name in fixed), *(given.get(name, "") for name in names)]
        writer.writerow([_cell(cell) for cell in cells])
    return text.getvalue()


def _cell(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False)


def _ordered(given: Mapping[str, float], names: Sequence[str]) -> dict[str, float]:
    return {name: given[name] for name in [*names, *sorted(given.keys() - set(names))] if name in given}
