"""Where a data set's files are, and reading those that are JSON; what is wrong is said with file, row and field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

Content = TypeVar("Content", list[Any], dict[str, Any])


def data_folder(root: Path | None, task: str) -> Path:
    """The folder of a task's data set.

    Raises:
        ValueError: the config names none.
        FileNotFoundError: it is not there.
    """
    if root is None:
        raise ValueError(f"{task} has no root: set task.root to the folder of the data set")
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such folder; set task.root to the folder of the data set")
    return root


def first_file(places: Sequence[Path]) -> Path:
    """The first of the places where a file of annotations may be that has one.

    Raises:
        FileNotFoundError: none has; the message names them all.
    """
    for path in places:
        if path.is_file():
            return path
    wanted = f"neither {' nor '.join(map(str, places))} is" if len(places) > 1 else f"{places[0]} is not"
    raise FileNotFoundError(f"{wanted} there; set task.root to the folder of the data set")


def clip_file(places: Sequence[Path]) -> Path:
    """The first of the places where a clip may be that has one; else the first, for the cache to name as missing."""
    return next((path for path in places if path.is_file()), places[0])


def read_json(path: Path, kind: type[Content], what: str) -> Content:
    """A JSON file in UTF-8 that holds a list or an object with something in it.

    Args:
        path: of the file.
        kind: ``list`` or ``dict``.
        what: is in it, for messages: ``"a list of questions"``.

    Raises:
        ValueError: it is no JSON, or holds something else or nothing.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not JSON ({error})") from error
    if not isinstance(content, kind) or not content:
        got = type(content).__name__ if content or not isinstance(content, kind) else f"an empty {kind.__name__}"
        raise ValueError(f"{path}: {what} is wanted, got {got}")
    return content


def json_rows(path: Path, fields: Mapping[str, type], what: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a list, each checked by :func:`check_fields`, with its place for messages."""
    for number, row in enumerate(read_json(path, list, what)):
        place = f"{path}, row {number}"
        yield place, check_fields(row, fields, place)


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
