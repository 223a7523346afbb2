"""CSV files with a header, row by row, and the numbers in their cells."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

UTF_8 = "utf-8-sig"


def read_csv(
    path: Path, *, needed: Sequence[str], optional: Sequence[str] = (), encodings: Sequence[str] = (UTF_8,)
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows, each with the number of its (last) line; cells by column, as they are in the file.

    Args:
        path: of the file.
        needed: columns that the header must name.
        optional: columns that it may name, for the message; others are read too.
        encodings: tried in turn until one fits the whole file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no CSV in one of the encodings, a needed column is not there, it has no rows, or a row has
            another number of cells than the header.
    """
    reader = csv.DictReader(io.StringIO(_decoded(path, encodings), newline=""), strict=True)
    try:
        columns = reader.fieldnames or ()
        if not set(needed) <= set(columns):
            more = f" (it may name {', '.join(optional)})" if optional else ""
            raise ValueError(
                f"{path}: the header must name {' and '.join(needed)}{more}, got {', '.join(columns) or 'nothing'}"
            )
        empty = True
        for row in reader:
            empty = False
            if None in row or None in row.values():
                raise ValueError(
                    f"{path}, line {reader.line_num}: it has another number of cells than the header; "
                    "quote cells that hold commas"
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num + 1}: not CSV ({error})") from error
    if empty:
        raise ValueError(f"{path}: a header and no rows")


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


def _decoded(path: Path, encodings: Sequence[str]) -> str:
    content = path.read_bytes()
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError as error:
            reason = error
    names = " nor ".join("UTF-8" if encoding == UTF_8 else encoding for encoding in encodings)
    raise ValueError(f"{path}: not CSV in {names} ({reason})") from reason
