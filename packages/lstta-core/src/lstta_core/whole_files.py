"""Files and folders that are written whole or not at all, whatever moment the process is killed at."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lstta_core.finite import NotFiniteError, bad_numbers


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file so that under its name there is the old one or the new one: draft, fsync, rename, fsync.

    Args:
        path: of the file; its folder is made where it is not there.
        write: is given the draft's path, and writes all of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    try:
        write(draft)
        sync(draft)
        draft.replace(path)
        sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """:func:`write_whole` of a text in UTF-8, with the ends of lines that it has, on every system."""
    write_whole(path, lambda draft: draft.write_bytes(text.encode()))


def json_text(content: object, where: object, *, indent: int | None = 1, ascii_only: bool = False) -> str:
    """Content as JSON, ending with a line break: letters as they are, and no NaN, which no JSON has.

    Args:
        content: plain dicts, lists, texts and numbers; None where there is no number.
        where: it is written or printed, for the message.
        indent: of each level; None for one line.
        ascii_only: with escapes for letters that ASCII lacks.

    Raises:
        NotFiniteError: a number is NaN or infinite.
    """
    try:
        return json.dumps(content, indent=indent, ensure_ascii=ascii_only, allow_nan=False) + "\n"
    except ValueError as error:
        bad = next(bad_numbers(content), None)
        raise error if bad is None else NotFiniteError(f"{where}: {bad}, which JSON has no number for") from error


def write_json(path: Path, content: object, *, indent: int | None = 1) -> None:
    """:func:`write_whole` of :func:`json_text`."""
    write_text(path, json_text(content, path, indent=indent))


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A draft that takes the folder's place when the context ends; nothing is changed where it raises.

    Folders cannot be exchanged in one step, so the old one is moved aside first: read through :func:`existing`.

    Yields:
        The draft, an empty folder beside it, for files alone.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield draft
        for path in (*draft.iterdir(), draft):
            sync(path)
        draft.chmod(0o755)
        aside = _aside(folder)
        # What lies aside is only removed while the folder is in its place, so one of the two is always whole.
        if folder.exists():
            shutil.rmtree(aside, ignore_errors=True)
            folder.rename(aside)
        draft.rename(folder)
        shutil.rmtree(aside, ignore_errors=True)
        sync(folder.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def existing(folder: Path) -> Path:
    """The folder, or where :func:`whole_folder` left the old one when it was killed between its two renames."""
    return _aside(folder) if not folder.exists() and _aside(folder).exists() else folder


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk; systems that open no folder keep those by themselves."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")
