"""CSV files with a header, row by row, and the numbers in their cells."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from lstta_tasks.annotations.reading import Reading

Made = TypeVar("Made")
Cells = dict[str, str]

DELIMITERS = (",", ";", "\t")
"""Between cells; spreadsheets of half of Europe write semicolons."""


def csv_rows(
    path: Path,
    make: Callable[[Cells, str], Made],
    *,
    reading: Reading,
    needed: Sequence[str],
    optional: Sequence[str] = (),
) -> list[Made]:
    """What is made of each row; bad rows are named all at once or left out, as the task's reading has it.

    Args:
        path: of the file.
        make: is given the cells by column and the row's place, for messages; raises a ValueError where it is bad.
        reading: of the task.
        needed: columns that the header must name.
        optional: columns that it may name. Capitals in either do not count.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no CSV or its encoding is not known, a needed column is not there or there twice, it has no
            rows, or rows are bad.
    """
    rows = _numbered(path, reading.text(path), needed, optional)
    return reading.kept(path, ((f"line {line}", row) for line, row in rows), make)


def read_csv(
    path: Path, *, needed: Sequence[str], optional: Sequence[str] = (), encoding: str | None = None
) -> Iterator[tuple[int, Cells]]:
    """The rows of :func:`csv_rows`, each with the number of its (last) line; the first bad one is an error."""
    for line, row in _numbered(path, Reading(encoding=encoding).text(path), needed, optional):
        if isinstance(row, ValueError):
            raise ValueError(f"{path}, line {line}: {row}")
        yield line, row


def whole_number(row: Mapping[str, str], field: str, place: str) -> int:
    """A cell that holds a whole number, 0 or more.

    Raises:
        ValueError: it holds something else.
    """
    cell = row[field].strip()
    if not (cell.isascii() and cell.isdigit() and len(cell) < 20):
        raise ValueError(f"{place}: field {field!r} must be a whole number, got {row[field]!r:.80}")
    return int(cell)


def number_between(value: object, low: float, high: float, field: str, place: str) -> float:
    """A number, or the text of one, from ``low`` to ``high``.

    Raises:
        ValueError: it is none.
    """
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not low <= number <= high:
        raise ValueError(f"{place}: field {field!r} must be a number from {low:g} to {high:g}, got {value!r:.80}")
    return number


def _numbered(
    path: Path, text: str, needed: Sequence[str], optional: Sequence[str]
) -> Iterator[tuple[int, Cells | ValueError]]:
    """The rows, or why one is none. Empty rows are left out, and so is a header that comes again."""
    reader, header = _opened(path, text, needed, optional)
    names = _columns(path, header, needed, optional)
    again = [_plain(name) for name in header]
    empty, line = True, reader.line_num
    try:
        for cells in reader:
            line = reader.line_num
            if _is_blank(cells) or [_plain(cell) for cell in cells] == again:
                continue
            empty = False
            if len(cells) != len(header):
                yield (
                    line,
                    ValueError(
                        f"it has another number of cells than the header, {len(cells)} and {len(header)}; "
                        "quote cells that hold commas"
                    ),
                )
                continue
            yield line, {name: cells[place] for name, place in names.items()}
    except csv.Error as error:
        raise ValueError(f"{path}, line {line + 1}: not CSV ({error})") from error
    if empty:
        raise ValueError(f"{path}: a header and no rows")


def _opened(path: Path, text: str, needed: Sequence[str], optional: Sequence[str]) -> tuple[Any, list[str]]:
    """A reader that stands behind the header, and the header, in the first delimiter that gives all needed columns."""
    found: dict[str, list[str]] = {}
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
        try:
            header = next((cells for cells in reader if not (_is_blank(cells) or _names_the_delimiter(cells))), [])
        except csv.Error as error:
            if delimiter == DELIMITERS[-1] and not found:
                raise ValueError(f"{path}, line {reader.line_num + 1}: not CSV ({error})") from error
            continue
        if {_plain(name) for name in needed} <= {_plain(name) for name in header}:
            return reader, header
        found[delimiter] = header
    header = max(found.values(), key=len)
    more = f" (it may name {', '.join(optional)})" if optional else ""
    raise ValueError(f"{path}: the header must name {' and '.join(needed)}{more}, got {', '.join(header) or 'nothing'}")


def _columns(path: Path, header: Sequence[str], needed: Sequence[str], optional: Sequence[str]) -> dict[str, int]:
    """The place of each column: those that are read by the names that were asked for, others by their own.

    Raises:
        ValueError: one that is read is there twice.
    """
    wanted = {_plain(name): name for name in (*optional, *needed)}
    places: dict[str, list[int]] = {}
    for place, cell in enumerate(header):
        places.setdefault(wanted.get(_plain(cell), cell.strip()), []).append(place)
    for name in wanted.values():
        if len(found := places.get(name, ())) > 1:
            said = " and ".join(repr(header[place]) for place in found)
            raise ValueError(
                f"{path}: the header names the column {name!r} {len(found)} times, as {said}: take one out"
            )
    return {name: found[0] for name, found in places.items() if len(found) == 1}


def _plain(name: str) -> str:
    """A column's name without what does not count."""
    return name.strip().casefold()


def _is_blank(cells: Sequence[str]) -> bool:
    return not any(cell.strip() for cell in cells)


def _names_the_delimiter(cells: Sequence[str]) -> bool:
    """Excel's ``sep=;`` before the header."""
    return ",".join(cells).strip().casefold() in ("sep=;", "sep=,", "sep=\\t", "sep=", "sep=\t")
