"""Fields of annotation files, checked: what is wrong with one is said with its file, row and name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def check_fields(row: object, fields: Mapping[str, type], place: str) -> dict[str, Any]:
    """The row itself, if it is an object whose fields are there, of their types, and no empty texts.

    Args:
        row: as JSON or a pickle gave it.
        fields: the type of each field that is read.
        place: file and row, for messages.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(row, dict):
        raise ValueError(f"{place}: an object is wanted, got {type(row).__name__}")
    for field, kind in fields.items():
        if not isinstance(row.get(field), kind) or (isinstance(row[field], bool) and kind is not bool):
            raise ValueError(f"{place}: field {field!r} must be of type {kind.__name__}, got {row.get(field)!r:.80}")
        if row[field] == "":
            raise ValueError(f"{place}: field {field!r} is empty")
    return row


def whole_number(row: Mapping[str, str], field: str, place: str) -> int:
    """A cell that holds a whole number, 0 or more.

    Raises:
        ValueError: it holds something else.
    """
    cell = row[field].strip()
    if not (cell.isascii() and cell.isdigit()):
        raise ValueError(f"{place}: field {field!r} must be a whole number, got {row[field]!r}")
    return int(cell)


def number_between(value: object, low: float, high: float, field: str, place: str) -> float:
    """A number, or the text of one, from ``low`` to ``high``.

    Raises:
        ValueError: it is none.
    """
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not low <= number <= high:
        raise ValueError(f"{place}: field {field!r} must be a number from {low:g} to {high:g}, got {value!r}")
    return number
