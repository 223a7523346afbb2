"""Subtitles beside a video, as SubRip (``.srt``) or WebVTT (``.vtt``) files have them."""

from __future__ import annotations

import html
import re
from pathlib import Path

from lstta_tasks.data.clip import DecodeError
from lstta_tasks.data.files import missing
from lstta_tasks.task import TimedText

SUFFIXES = (".srt", ".vtt")
MARKUP = re.compile(r"<[^<>]*>|\{\\[^{}]*\}")  # linear in the text's length
LARGEST = 32_000_000  # bytes of a file: a day's subtitles are a tenth of it


def read_subtitles(path: Path) -> tuple[TimedText, ...]:
    """The lines of a file in its order, without their markup. Times count from the video's beginning.

    Raises:
        DecodeError: it is something else, or damaged.
        ValueError: there is no such file, or its name does not end as theirs do.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path}: subtitles end in {' or '.join(SUFFIXES)}")
    if (reason := missing(path)) is not None:
        raise ValueError(reason)
    if (size := path.stat().st_size) > LARGEST:
        raise DecodeError(f"{path}: {size:,} bytes are more than subtitles ever have ({LARGEST:,})")
    import av

    from lstta_tasks.data.tracks import reasons, seconds

    lines = []
    with reasons(path), av.open(str(path.absolute()), options={"protocol_whitelist": "file"}) as container:
        if not container.streams.subtitles:
            raise DecodeError(f"{path}: no subtitles in it")
        for packet in container.demux(subtitles=0):
            text = " ".join(html.unescape(MARKUP.sub("", bytes(packet).decode(errors="replace"))).split())
            if packet.pts is not None and text:
                start = seconds(packet.pts, packet)
                lines.append(TimedText(start, start + seconds(packet.duration or 0, packet), text))
    return tuple(lines)


def subtitles_beside(video: Path) -> Path | None:
    """The file of subtitles with the name of a video, or None."""
    places = (video.with_suffix(suffix) for suffix in SUFFIXES)
    return next((path for path in places if path.is_file()), None)
