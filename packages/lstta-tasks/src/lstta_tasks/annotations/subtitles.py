"""Subtitles beside a video, as SubRip (``.srt``) or WebVTT (``.vtt``) files have them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lstta_tasks.annotations.rolling import Cue, unrolled
from lstta_tasks.annotations.text import read_text
from lstta_tasks.data.clip import DecodeError
from lstta_tasks.data.files import missing
from lstta_tasks.task import TimedText

SUFFIXES = (".srt", ".vtt")
OPTION = "--encoding"
LARGEST = 1 << 25  # bytes; a film's subtitles have a hundred thousand
MARKUP = re.compile(r"</?[A-Za-z0-9][^<>]*>|</?>|\{\\[^{}]*\}")
TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,9}))?"
SPAN = re.compile(rf"\s*{TIME}\s*-->\s*{TIME}(?:\s.*)?")
LIKE_A_TIME = re.compile(r"\s*\d+:\S*\s*-->")
SPOKEN_AT = re.compile(r"<\d+:\d[\d:.]*>")
"""The time of a word, as in automatic captions."""


def read_subtitles(path: Path, encoding: str | None = None, *, option: str = OPTION) -> tuple[TimedText, ...]:
    """The lines of a file in its order, without their markup. Times count from the video's beginning.

    Captions that roll, in which a line comes again until the next one takes its place, are read once each.

    Args:
        path: of the file.
        encoding: where it is neither UTF-8 nor UTF-16 with a mark.
        option: what names the encoding, for messages.

    Raises:
        DecodeError: it is something else, or damaged, or in an encoding that nobody named.
        ValueError: there is no such file, or its name does not end as theirs do.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path}: subtitles end in {' or '.join(SUFFIXES)}")
    if (reason := missing(path)) is not None:
        raise ValueError(reason)
    if (size := path.stat().st_size) > LARGEST:
        raise DecodeError(f"{path}: no subtitles: it has {size:,} bytes, more than the {LARGEST:,} that are read")
    try:
        text = read_text(path, encoding, option=option)
    except (ValueError, OSError) as error:
        raise DecodeError(str(error)) from error
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    web = path.suffix.lower() == ".vtt"
    if web and not lines[0].startswith("WEBVTT"):
        raise DecodeError(f"{path}: it does not begin with WEBVTT, as WebVTT files do; is it named for what it is?")
    cues = [_cue(block) for block in _blocks(lines, path, blank_ends=web)]
    if not (cues or web):
        raise DecodeError(f"{path}: no subtitles in it")
    return tuple(
        TimedText(cue.start, cue.end, text) for cue in unrolled(cues) if (text := " ".join(" ".join(cue.lines).split()))
    )


def subtitles_beside(video: Path) -> Path | None:
    """The file of subtitles with the name of a video, or None."""
    places = (video.with_suffix(suffix) for suffix in SUFFIXES)
    return next((path for path in places if path.is_file()), None)


@dataclass(frozen=True)
class _Block:
    start: float
    end: float
    lines: Sequence[str]


def _blocks(lines: Sequence[str], path: Path, *, blank_ends: bool) -> Iterator[_Block]:
    """What follows each line of times: to the next empty line in WebVTT; in SubRip, whose texts may have some, to the
    number of the next one."""
    spans = [(place, span) for place, line in enumerate(lines) if (span := _span(line, f"{path}, line {place + 1}"))]
    ends = [*(place for place, _ in spans[1:]), len(lines)]
    for (place, (start, end)), last in zip(spans, ends, strict=False):
        said = list(lines[place + 1 : last])
        if blank_ends:
            said = said[: said.index("")] if "" in said else said
        elif last < len(lines):
            while said and not said[-1].strip():
                said.pop()
            if said and said[-1].strip().isdigit() and (len(said) == 1 or not said[-2].strip()):
                said.pop()
        yield _Block(start, end, said)


def _span(line: str, place: str) -> tuple[float, float] | None:
    """The times in a line; None where it has none.

    Raises:
        DecodeError: it has some that are no span.
    """
    if "-->" not in line:
        return None
    match = SPAN.fullmatch(line)
    if match is None:
        if not LIKE_A_TIME.match(line):
            return None
        raise DecodeError(f"{place}: times such as 00:00:01,000 --> 00:00:02,500 are wanted, got {line.strip()!r:.80}")
    start, end = (_seconds(match.groups()[first : first + 4]) for first in (0, 4))
    if end < start:
        raise DecodeError(f"{place}: it ends at {end:g} s, before its start at {start:g} s: {line.strip()!r:.80}")
    return start, end


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, fraction = parts
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(f"{seconds}.{fraction or 0}")


def _cue(block: _Block) -> Cue:
    lines = [" ".join(html.unescape(MARKUP.sub("", line)).split()) for line in block.lines]
    timed = [bool(SPOKEN_AT.search(line)) for line in block.lines]
    kept = [place for place, line in enumerate(lines) if line]
    return Cue(block.start, block.end, tuple(lines[i] for i in kept), tuple(timed[i] for i in kept))
