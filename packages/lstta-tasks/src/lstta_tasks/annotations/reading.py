"""How a task reads its rows: in which encoding, what becomes of bad ones, and what there is to say of it afterwards."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from lstta_tasks.annotations.text import check_encoding, read_text
from lstta_tasks.escaped import escaped
from lstta_tasks.sample import Split

Made = TypeVar("Made")

MOST = 50  # bad rows of which a message says what is wrong; of the rest it says where they are

logger = logging.getLogger(__name__)


class BadRowsError(ValueError):
    """Rows of a file are bad. The message names them all."""


def each_split(read: Callable[[Split], Made], splits: Iterable[Split]) -> dict[Split, Made]:
    """What is read of each split.

    Raises:
        BadRowsError: rows are bad, which are named all at once, whatever files of the splits they are in.
    """
    made: dict[Split, Made] = {}
    bad: list[str] = []
    for split in splits:
        try:
            made[split] = read(split)
        except BadRowsError as error:
            bad.append(str(error))
    if bad:
        raise BadRowsError("\n".join(dict.fromkeys(bad)))
    return made


class Reading:
    """The choices of one task, for all of its files.

    Args:
        encoding: of files that are neither UTF-8 nor UTF-16 with a mark: the option ``task.encoding``.
        skip_bad_rows: leave bad rows out and count them: the option ``task.skip_bad_rows``.
        fallback: see :func:`~lstta_tasks.annotations.text.read_text`.

    Attributes:
        left_out: how many rows of each file are left out.
        notes: what to tell whoever trains, one line each: rows that are left out, files in the fallback.
    """

    def __init__(
        self, *, encoding: str | None = None, skip_bad_rows: bool = False, fallback: str | None = None
    ) -> None:
        if encoding is not None:
            check_encoding(encoding)
        if not isinstance(skip_bad_rows, bool):
            raise ValueError(f"task.skip_bad_rows must be True or False, got {skip_bad_rows!r}")
        self.encoding = encoding
        self.skip_bad_rows = skip_bad_rows
        self.fallback = fallback
        self.left_out: dict[Path, int] = {}
        self.notes: list[str] = []

    def text(self, path: Path) -> str:
        """A file's text. Raises as :func:`~lstta_tasks.annotations.text.read_text` does."""
        return read_text(path, self.encoding, fallback=self.fallback, note=self.note)

    def note(self, line: str) -> None:
        """Say something once: here in the log, and where training tells the sizes."""
        if line not in self.notes:
            self.notes.append(line)
            logger.warning("%s", escaped(line, lines=True))

    def kept(self, path: Path, rows: Iterable[tuple[str, Any]], make: Callable[[Any, str], Made]) -> list[Made]:
        """What is made of each row of a file. Bad rows are named all at once, or left out.

        Args:
            path: of the file.
            rows: where each is in the file ("line 3"), and the row, or a ValueError: why it is none.
            make: is given a row and its place, for messages; raises a ValueError where the row is bad.

        Raises:
            BadRowsError: rows are bad and none may be left out, or all of them are bad.
        """
        made: list[Made] = []
        bad: dict[str, str] = {}
        for where, row in rows:
            place = f"{path}, {where}"
            try:
                if isinstance(row, ValueError):
                    raise row
                made.append(make(row, place))
            except ValueError as error:
                bad[where] = str(error).removeprefix(f"{place}: ")
        if not bad:
            return made
        named = _named(bad)
        if not self.skip_bad_rows:
            if len(bad) == 1:
                raise BadRowsError(f"{path}, {named}; mend it, or leave it out: task.skip_bad_rows=True")
            raise BadRowsError(
                f"{path}: {len(bad)} of {len(bad) + len(made)} rows are bad; mend them, or leave them out: "
                f"task.skip_bad_rows=True\n  {named}"
            )
        if not made:
            raise BadRowsError(f"{path}: all of its {len(bad)} rows are bad, none is left\n  {named}")
        self.left_out[path] = len(bad)
        self.note(f"{path}: {len(bad)} of {len(bad) + len(made)} rows are bad and left out\n  {named}")
        return made


def _named(bad: dict[str, str]) -> str:
    """Each with its reason, one a line; the places alone of those past the first ones."""
    lines = [f"{where}: {reason}" for where, reason in list(bad.items())[:MOST]]
    rest = list(bad)[MOST:]
    return "\n  ".join([*lines, *([f"and {', '.join(rest)}"] if rest else [])])
