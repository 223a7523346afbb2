"""Configs and studies that come with this package, by name. Imports nothing heavy."""

from __future__ import annotations

import ast
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

Kind = Literal["config", "study"]
PACKAGE = Path(__file__).parent
FOLDERS: dict[Kind, Path] = {"config": PACKAGE / "configs", "study": PACKAGE / "studies"}
LISTED_BY: dict[Kind, str] = {"config": "lstta configs", "study": "lstta configs --studies"}


def shipped(kind: Kind) -> dict[str, Path]:
    """The files by their names, such as ``avqa/tiny_lstta``; what configs build on, in ``base/``, is not listed."""
    folder = FOLDERS[kind]
    files = {path.relative_to(folder).with_suffix("").as_posix(): path for path in sorted(folder.rglob("*.py"))}
    return {name: path for name, path in files.items() if not name.startswith("base/")}


def find_shipped(kind: Kind, wanted: str | Path) -> Path:
    """The file that is meant: a path, or the name of a shipped one.

    Raises:
        FileNotFoundError: neither; the message names the nearest.
        IsADirectoryError: a folder.
    """
    path = Path(wanted)
    if path.is_file():
        return path
    if path.is_dir():
        raise IsADirectoryError(
            f"{wanted}: a folder; the file or the name of a {kind} is wanted; {LISTED_BY[kind]} lists them"
        )
    names = shipped(kind)
    if (name := path.as_posix()) in names:
        return names[name]
    bare = name.removesuffix(".py").removeprefix("./").removeprefix("configs/").removeprefix("studies/")
    near = bare if bare in names else next(iter(get_close_matches(bare, names, n=1)), None)
    hint = f"; did you mean {near!r}?" if near else ";"
    raise FileNotFoundError(
        f"{wanted}: no such file, and no shipped {kind} has this name{hint} {LISTED_BY[kind]} lists them"
    )


def header(path: Path) -> str:
    """What a config or a study says of itself: command, time, result."""
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
