"""Which splits a data set has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from lstta_tasks.annotations.files import first_file
from lstta_tasks.sample import SPLITS, Split


def splits_with_files(places: Callable[[Split], Sequence[Path]]) -> list[Split]:
    """The splits that have a file in one of the places where it may be.

    Raises:
        FileNotFoundError: none has; the message names where that of train may be.
    """
    splits = [split for split in SPLITS if any(path.is_file() for path in places(split))]
    if not splits:
        first_file(places("train"))
    return splits
