"""Clips that a build leaves out, named in a text file."""

from __future__ import annotations

from pathlib import Path


def read_skip_list(path: Path | str) -> frozenset[str]:
    """The clip ids in a text file (UTF-8): one a line; empty lines and lines that begin with ``#`` do not count.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no text.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file; a list of clip ids to leave out is wanted, one a line")
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: a list of clip ids as UTF-8 text is wanted, one a line ({error})") from error
    lines = (line.strip() for line in text.split("\n"))
    return frozenset(line for line in lines if line and not line.startswith("#"))
