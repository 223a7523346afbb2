"""Subtitles beside videos."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstta_tasks.annotations.subtitles import read_subtitles, subtitles_beside
from lstta_tasks.task import TimedText

SRT = """1
00:00:01,000 --> 00:00:02,500
<i>Hello</i>
there &amp; you

2
01:00:03,250 --> 01:00:04,000
{\\an8}Second

3
01:00:05,000 --> 01:00:06,000
<b></b>
"""
VTT = """WEBVTT

NOTE nobody reads this

00:01.000 --> 00:02.500 align:start
<v Bob>Hello
there &amp; you

01:00:03.250 --> 01:00:04.000
Second
"""


@pytest.mark.parametrize(("name", "content"), [("a.srt", SRT), ("a.vtt", VTT), ("a.SRT", SRT)])
def test_lines_without_markup(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert read_subtitles(tmp_path / name) == (
        TimedText(1.0, 2.5, "Hello there & you"),
        TimedText(3603.25, 3604.0, "Second"),
    )


def test_beside_a_video(tmp_path: Path) -> None:
    assert subtitles_beside(tmp_path / "a.mp4") is None
    (tmp_path / "a.vtt").write_text(VTT)
    assert subtitles_beside(tmp_path / "a.mp4") == tmp_path / "a.vtt"
    (tmp_path / "a.srt").write_text(SRT)
    assert subtitles_beside(tmp_path / "a.mp4") == tmp_path / "a.srt"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", "hello", "a.txt: subtitles end in .srt or .vtt"),
        ("none.srt", None, "none.srt: there is no such file"),
        ("empty.srt", "", "empty.srt: the file is empty"),
        ("a.srt", "no subtitles at all", "a.srt: "),
    ],
)
def test_anything_else(tmp_path: Path, name: str, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=said):
        read_subtitles(tmp_path / name)
