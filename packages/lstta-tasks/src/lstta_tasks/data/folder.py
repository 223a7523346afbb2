"""The video files of a folder."""

from __future__ import annotations

from pathlib import Path

VIDEOS = (".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".flv", ".mpg", ".mpeg", ".ogv")


def videos_in(folder: Path) -> list[Path]:
    """The files in a folder and the folders in it that end in one of ``VIDEOS``, sorted.

    Raises:
        FileNotFoundError: there is none.
    """
    videos = sorted(path for path in folder.rglob("*") if path.suffix.lower() in VIDEOS and path.is_file())
    if not videos:
        raise FileNotFoundError(f"{folder}: no file in it ends in {', '.join(VIDEOS)}")
    return videos
