"""The video files of a folder, and what else is in it."""

from __future__ import annotations

import os
from pathlib import Path

from lstta_tasks.data.files import missing

VIDEOS = (
    *(".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".flv", ".mpg", ".mpeg", ".ogv"),
    *(".ts", ".mts", ".m2ts", ".wmv", ".3gp"),
)


def videos_in(folder: Path) -> list[Path]:
    """The files in a folder and the folders in it that end in one of ``VIDEOS``, sorted.

    Raises:
        FileNotFoundError: there is none.
    """
    return sorted_out(folder)[0]


def sorted_out(folder: Path) -> tuple[list[Path], dict[Path, str]]:
    """The videos of :func:`videos_in`, and why each other file is none of them.

    Raises:
        FileNotFoundError: there is no video.
    """
    videos: list[Path] = []
    others: dict[Path, str] = {}

    def closed(error: OSError) -> None:
        others[Path(error.filename)] = f"the folder cannot be looked into ({error.strerror})"

    for place, folders, files in os.walk(folder, onerror=closed):
        for path in (Path(place, name) for name in folders):
            if path.is_symlink():
                others[path] = "a link to a folder, which is not followed"
        for path in (Path(place, name) for name in files):
            if path.suffix.lower() not in VIDEOS:
                others[path] = "its name does not end as those of videos do"
            elif path.is_file():
                videos.append(path)
            else:
                others[path] = (missing(path) or "").removeprefix(f"{path}: ")
    if not videos:
        raise FileNotFoundError(f"{folder}: no file in it ends in {', '.join(VIDEOS)}")
    return sorted(videos), dict(sorted(others.items()))
