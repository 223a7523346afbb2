"""Where a data set's files are, and reading those that are JSON; what is wrong is said with file, row and field."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, TypeVar

from lstta_tasks.annotations.reading import Reading
from lstta_tasks.data.files import missing

Made = TypeVar("Made")
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


def file_named(folder: Path, name: str) -> Path:
    r"""The file that a path in annotations means, seen from their folder, whichever system it was written on.

    Where no file has a name with a backslash, backslashes stand between folders.

    Args:
        folder: of the annotations.
        name: a path from there, or an absolute one.

    Raises:
        ValueError: it begins with a drive, such as ``D:\clips``, and this system has none.
    """
    path, written = folder / name, PureWindowsPath(name)
    foreign = "\\" in name or (written.drive and written.root)
    if not foreign or isinstance(path, PureWindowsPath) or missing(path) is None:
        return path
    if written.drive:
        raise ValueError(f"{name!r:.80} begins with a drive, which this system has not: write paths from {folder}")
    return folder / written.as_posix()


def leads_out(name: str) -> bool:
    """Whether a path leads out of the folder that it is seen from, on whichever system; or may, by naming a drive."""
    return any(path.anchor or ".." in path.parts for path in (PurePosixPath(name), PureWindowsPath(name)))


def check_inside(name: str, field: str, place: str) -> str:
    """A name that is to be part of a file's path, if it stays in its folder.

    Args:
        name: of a clip, as a file of annotations has it.
        field: that it is from.
        place: file and row, for messages.

    Raises:
        ValueError: it :func:`leads_out`.
    """
    if leads_out(name):
        raise ValueError(f"{place}: field {field!r} leads out of the data set's folder, got {name!r:.80}")
    return name


def read_json(path: Path, kind: type[Content], what: str) -> Content:
    """A JSON file in UTF-8 that holds a list or an object with something in it.

    Args:
        path: of the file.
        kind: ``list`` or ``dict``.
        what: is in it, for messages: ``"a list of questions"``.

    Raises:
        ValueError: it is no JSON, has a key twice or a number that is none, or holds something else or nothing.
    """
    try:
        content = parse_json(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise ValueError(
            f"{path}: not JSON: byte 0x{byte:02X} at offset {error.start} is not UTF-8, which JSON is written in: "
            "save the file as UTF-8"
        ) from error
    except ValueError as error:
        raise ValueError(f"{path}: not JSON ({error})") from error
    if not isinstance(content, kind) or not content:
        got = type(content).__name__ if content or not isinstance(content, kind) else f"an empty {kind.__name__}"
        raise ValueError(f"{path}: {what} is wanted, got {got}")
    return content


def parse_json(text: str, *, finite: bool = True) -> Any:
    """What a JSON text says.

    Args:
        text: of a file.
        finite: refuse NaN and Infinity, which are no numbers, right here.

    Raises:
        ValueError: it is none, is nested too deeply, has a key twice in one object, or has one of those two.
    """
    try:
        return json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_number if finite else None)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def json_rows(path: Path, fields: Mapping[str, type], what: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a list, each checked by :func:`check_fields`, with its place; the first bad one is an error."""
    for number, row in enumerate(read_json(path, list, what)):
        place = f"{path}, row {number}"
        yield place, check_fields(row, fields, place)


def json_list(
    path: Path,
    make: Callable[[dict[str, Any], str], Made],
    *,
    reading: Reading,
    fields: Mapping[str, type],
    what: str,
) -> list[Made]:
    """What is made of each row of a list; bad rows are named all at once or left out, as the task's reading has it.

    Args:
        path: of the file.
        make: is given a row, checked by :func:`check_fields`, and its place; raises a ValueError where it is bad.
        reading: of the task.
        fields: the type of each field that is read.
        what: as :func:`read_json` has it.
    """
    rows = ((f"row {number}", row) for number, row in enumerate(read_json(path, list, what)))
    return reading.kept(path, rows, lambda row, place: make(check_fields(row, fields, place), place))


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
        if not _is_unicode(row[field]):
            raise ValueError(f"{place}: field {field!r} has half a character (a surrogate), got {row[field]!r:.80}")
    return row


def _is_unicode(value: object) -> bool:
    """Whether the texts in a value of JSON, lists in lists included, are whole."""
    if isinstance(value, int):
        return True
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except (UnicodeEncodeError, ValueError, RecursionError):
        return False
    return True


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the key {twice!r:.80} stands there twice")
    return found


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")
