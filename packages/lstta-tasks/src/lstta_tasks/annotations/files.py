"""Where the files of a data set are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


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
