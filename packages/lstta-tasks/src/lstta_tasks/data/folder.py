"""The video files of a folder and what else is in it, and which of several words are clips."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from lstta_tasks.data.files import missing

VIDEOS = (
    *(".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".flv", ".mpg", ".mpeg", ".ogv"),
    *(".ts", ".mts", ".m2ts", ".wmv", ".3gp"),
)


SOUNDS = (".wav", ".mp3", ".flac", ".m4a", ".aac", ".ogg", ".opus", ".wma", ".aiff", ".aif")
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
"""Read where they are named; a folder is searched for videos alone, beside which both often lie."""


def named_clips(paths: Sequence[Path]) -> tuple[dict[str, Path], dict[Path, tuple[str, str]]]:
    """Files, and the videos of folders, by the names that answers have.

    Args:
        paths: of files and folders. Of a file alone, or of a folder alone, names are its own, or seen from it.

    Returns:
        The files by name; and of what else is in the folders, by path, the name and the reason why it is no clip.

    Raises:
        FileNotFoundError: a folder holds no video.
        ValueError: two have one name, such as a file that is given twice.
    """
    files: dict[str, Path] = {}
    others: dict[Path, tuple[str, str]] = {}
    for path in paths:
        if path.is_dir():
            seen_from = path if len(paths) == 1 else path.parent
            videos, rest = sorted_out(path)
            found = {video.relative_to(seen_from).as_posix(): video for video in videos}
            others |= {one: (one.relative_to(seen_from).as_posix(), reason) for one, reason in rest.items()}
        else:
            found = {path.name if len(paths) == 1 else path.as_posix(): path}
        if twice := files.keys() & found.keys():
            raise ValueError(f"{min(twice)} is there twice: {files[min(twice)]} and {found[min(twice)]}")
        files |= found
    return files, others


def looks_like_a_clip(word: str) -> bool:
    """Whether a word names a media file by its ending, or is a path with a slash to something that is there."""
    named = word.lower().endswith((*VIDEOS, *SOUNDS, *PICTURES)) and not any(map(str.isspace, word))
    return named or (("/" in word or os.sep in word) and Path(word).exists())


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
