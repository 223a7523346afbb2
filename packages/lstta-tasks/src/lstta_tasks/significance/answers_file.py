"""Two files of answers, as ``lstta test`` writes them, sample by sample beside each other."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Row = Mapping[str, Any]
Kind = Literal["a class", "a number", "a list of labels", "a class for each segment", "events in segments"]
NEEDED = ("sample", "truth", "prediction")
HINT = "lstta test CONFIG ADAPTER --json FILE.json, or --predictions FILE.jsonl, writes such files"


@dataclass(frozen=True)
class Pairs:
    """The answers of two models to the same samples.

    Attributes:
        kind: what an answer is.
        truth: of each sample.
        said: of the first model and of the second.
        confidence: likewise, the probabilities of what was said; None where a file does not say them.
    """

    kind: Kind
    truth: list[Any]
    said: tuple[list[Any], list[Any]]
    confidence: tuple[list[float] | None, list[float] | None]


def read_pairs(one: Path, other: Path) -> Pairs:
    """Pair two files.

    Raises:
        FileNotFoundError: one is not there.
        ValueError: one is no such file, or they are of other samples, of another truth, or of answers of no
            :data:`Kind`; the message names files and sample.
    """
    first, second = _rows(one), _rows(other)
    for here, there, has, lacks in ((one, other, first, second), (other, one, second, first)):
        alone = [name for name in has if name not in lacks]
        if alone:
            raise ValueError(
                f"{here} and {there} do not pair up: {len(alone):,} of {len(has):,} samples are in {here} alone, such "
                f"as {alone[0]!r}. Test both models on one split of the same data"
            )
    for name, row in first.items():
        if row["truth"] != second[name]["truth"]:
            raise ValueError(
                f"{one} and {other} do not pair up: sample {name!r} is {row['truth']!r} in {one} and "
                f"{second[name]['truth']!r} in {other}. Test both models on the same data"
            )
    rows = [first[name] for name in first], [second[name] for name in first]
    by_file = zip((one, other), rows, strict=True)
    kinds = {_kind(row[key], path, row) for path, some in by_file for row in some for key in ("truth", "prediction")}
    if len(kinds) > 1:
        raise ValueError(f"{one} and {other} do not pair up: answers are {' and '.join(sorted(kinds))}")
    return Pairs(
        kinds.pop(),
        [row["truth"] for row in rows[0]],
        ([row["prediction"] for row in rows[0]], [row["prediction"] for row in rows[1]]),
        (_confidence(rows[0]), _confidence(rows[1])),
    )


def _rows(path: Path) -> dict[str, Row]:
    """The rows of a file, by their samples' ids."""
    text = path.read_text(encoding="utf-8")
    try:
        if path.suffix == ".jsonl":
            content: Any = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            content = json.loads(text)
            content = content.get("rows") if isinstance(content, dict) else None
    except ValueError as error:
        raise ValueError(f"{path}: no JSON ({error}); {HINT}") from error
    if not isinstance(content, list) or not content:
        raise ValueError(f"{path}: there are no answers in it; {HINT}")
    rows: dict[str, Row] = {}
    for number, row in enumerate(content, 1):
        lacking = [key for key in NEEDED if not isinstance(row, dict) or key not in row]
        if lacking or not isinstance(row["sample"], str):
            raise ValueError(f"{path}: answer {number} lacks {lacking[0] if lacking else 'an id'!r}; {HINT}")
        if row["sample"] in rows:
            raise ValueError(f"{path}: two answers are of sample {row['sample']!r}; one of each is wanted")
        rows[row["sample"]] = row
    return rows


def _kind(value: Any, path: Path, row: Row) -> Kind:
    if isinstance(value, str):
        return "a class"
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return "a number"
    if isinstance(value, list) and all(isinstance(label, str) for label in value):
        return "a list of labels"
    if isinstance(value, dict) and _is_classes(value.get("segments"), row["truth"]):
        return "a class for each segment"
    if isinstance(value, dict) and all(map(_is_spans, (value.get("audio"), value.get("visual")))):
        return "events in segments"
    raise ValueError(
        f"{path}: sample {row['sample']!r} has the answer {value!r:.60}: classes, numbers and lists of labels can be "
        "compared, and classes or events in segments"
    )


def _is_classes(value: Any, truth: Any) -> bool:
    """Whether these are classes or None, as many as are true."""
    if not isinstance(value, list) or not all(name is None or isinstance(name, str) for name in value):
        return False
    wanted = truth.get("segments") if isinstance(truth, dict) else None
    return isinstance(wanted, list) and len(wanted) == len(value)


def _is_spans(value: Any) -> bool:
    """Whether these are labels, each with the segment of its beginning and the one behind its end."""
    return isinstance(value, list) and all(
        isinstance(span, list)
        and len(span) == 3
        and isinstance(span[0], str)
        and all(type(place) is int and place >= 0 for place in span[1:])
        for span in value
    )


def _confidence(rows: list[Row]) -> list[float] | None:
    found = list(_each_confidence(rows))
    return found if len(found) == len(rows) else None


def _each_confidence(rows: list[Row]) -> Iterator[float]:
    for row in rows:
        value = row.get("confidence")
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
            yield float(value)
