"""Subtitles for the media files of a table, a folder, or by name; those that have some keep theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lstta_tasks.annotations.csv_rows import csv_rows
from lstta_tasks.annotations.files import file_named
from lstta_tasks.annotations.reading import Reading
from lstta_tasks.annotations.subtitles import subtitles_beside
from lstta_tasks.data.ahead import ahead
from lstta_tasks.data.folder import named_clips
from lstta_tasks.failures import Failures
from lstta_tasks.sample import TimedText
from lstta_tasks.transcribe.sound import whole_sound
from lstta_tasks.transcribe.write import write_subtitles

RATE = 16_000
Transcriber = Callable[[NDArray[np.int16]], Sequence[tuple[float, float, str]]]
"""Sound (n,) at :data:`RATE` samples a second to lines: start and end in seconds, and the text."""


@dataclass(frozen=True)
class Transcribed:
    """What was done.

    Attributes:
        written: files of subtitles, in order.
        kept: those that were there.
        failed: media files that cannot be read or heard, with the reason.
    """

    written: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)
    failed: Mapping[str, str] = field(default_factory=dict)


def files_of(places: Sequence[Path], *, encoding: str | None = None) -> list[Path]:
    """The media files of CSV tables (their column ``video``, seen from the table's folder), of folders, or themselves.

    Raises:
        FileNotFoundError: a table is not there, or a folder has no video.
        ValueError: a table has no such column, or is malformed.
    """
    files: dict[Path, None] = {}
    for place in places:
        if place.suffix.lower() != ".csv":
            files |= dict.fromkeys(named_clips([place])[0].values())
            continue
        if not place.is_file():
            raise FileNotFoundError(f"{place}: there is no such file")

        def video(row: Mapping[str, str], at: str, table: Path = place) -> Path:
            if not row["video"].strip():
                raise ValueError(f"{at}: column 'video' is empty")
            return file_named(table.parent, row["video"].strip())

        reading = Reading(encoding=encoding)
        files |= dict.fromkeys(csv_rows(place, video, reading=reading, needed=("video",), optional=("video",)))
    return list(files)


def transcribe(files: Iterable[Path], make: Callable[[], Transcriber], *, again: bool = False) -> Transcribed:
    """Write subtitles beside each file that has none; one that fails costs no other its own.

    A run that was ended goes on where it was: each file of subtitles is written whole or not at all.

    Args:
        files: media files, with pictures or without.
        make: gives what hears, where there is something to hear.
        again: also those that have some. What replaces a WebVTT file is SubRip, and the old one is removed, and so the
            other way round.
    """
    todo: list[Path] = []
    done = Transcribed()
    for file in files:
        if (there := subtitles_beside(file)) is not None and not again:
            done.kept.append(there)
        else:
            todo.append(file)
    if not todo:
        return done
    hear, failed = make(), Failures()
    decoded = ahead(todo, lambda file: whole_sound(file, RATE), workers=1, most=1)
    for file, future in tqdm(decoded, total=len(todo), desc="transcribe", unit="clip", disable=None):
        with failed.of(str(file)):
            lines = hear(future.result())
            before = subtitles_beside(file)
            path = write_subtitles(file, [TimedText(*line) for line in lines])
            if before is not None and before != path:
                before.unlink()
            done.written.append(path)
    return Transcribed(done.written, done.kept, failed.reasons)
