"""Lines of text with their times as SubRip; where nothing is said, as WebVTT, which may be empty."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lstta_core.whole_files import write_text
from lstta_tasks.sample import TimedText


def write_subtitles(beside: Path, lines: Sequence[TimedText]) -> Path:
    """Write ``.srt``, or without lines ``.vtt``, beside a media file, whole or not at all; returns its path."""
    if not lines:
        path = beside.with_suffix(".vtt")
        write_text(path, "WEBVTT\n\nNOTE nothing is said\n")
        return path
    path = beside.with_suffix(".srt")
    cues = [f"{n}\n{_time(one.start)} --> {_time(one.end)}\n{one.text}\n" for n, one in enumerate(lines, 1)]
    write_text(path, "\n".join(cues))
    return path


def _time(seconds: float) -> str:
    rest = round(seconds * 1000)
    hours, rest = divmod(rest, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02},{rest % 1000:03}"
