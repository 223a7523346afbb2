"""Subtitles beside videos."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lstta_tasks.annotations.subtitles import read_subtitles, subtitles_beside
from lstta_tasks.data.clip import DecodeError
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


CASES = SRT.replace("Hello", "Café ’tis")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_subtitles_as_they_were_written(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.srt").write_bytes(CASES.encode(encoding))
    assert read_subtitles(tmp_path / "a.srt")[0].text == "Café ’tis there & you"


def test_another_encoding_is_refused_and_read_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_bytes(CASES.encode("cp1252"))
    with pytest.raises(DecodeError, match=r"a.srt: byte 0xE9 at offset 38 \(line 3, byte 7 of it\).*--encoding=cp1252"):
        read_subtitles(path)
    assert read_subtitles(path, "cp1252")[0].text == "Café ’tis there & you"


ROLLING = """WEBVTT
Kind: captions
Language: en

00:00:00.120 --> 00:00:02.000 align:start position:0%
\x20
one<00:00:00.500><c> board</c><00:00:01.000><c> one</c>

00:00:02.000 --> 00:00:02.010 align:start position:0%
one board one
\x20

00:00:02.010 --> 00:00:04.000 align:start position:0%
one board one
minute<00:00:02.500><c> home</c>

00:00:04.000 --> 00:00:04.010
minute home
\x20
"""
ROLLED = (TimedText(0.12, 2.0, "one board one"), TimedText(2.01, 4.0, "minute home"))
AS_SRT = """1
00:00:00,120 --> 00:00:02,000
one board one

2
00:00:02,000 --> 00:00:02,010
one board one

3
00:00:02,010 --> 00:00:04,000
one board one
minute home

4
00:00:04,000 --> 00:00:04,010
minute home
"""


@pytest.mark.parametrize(("name", "content"), [("a.vtt", ROLLING), ("a.srt", AS_SRT)])
def test_rolling_captions_once(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert read_subtitles(tmp_path / name) == ROLLED


def srt(*cues: tuple[float, float, str]) -> str:
    return "\n".join(
        f"{number}\n00:00:{start:06.3f} --> 00:00:{end:06.3f}\n{text}\n"
        for number, (start, end, text) in enumerate(cues, 1)
    )


def test_captions_that_roll_up_three_lines(tmp_path: Path) -> None:
    said = ["a", "b", "c", "d", "e"]
    cues = [(float(i), i + 1.0, "\n".join(said[max(0, i - 2) : i + 1])) for i in range(5)]
    (tmp_path / "a.srt").write_text(srt(*cues))
    assert [line.text for line in read_subtitles(tmp_path / "a.srt")] == said


def test_ordinary_subtitles_may_say_the_same_twice(tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text(srt((1, 2, "No."), (2, 3, "No."), (3, 4, "No.\nStop it."), (5, 6, "Why?")))
    assert [line.text for line in read_subtitles(tmp_path / "a.srt")] == ["No.", "No.", "No. Stop it.", "Why?"]


def test_a_word_that_is_said_again_while_captions_roll(tmp_path: Path) -> None:
    content = (
        "WEBVTT\n\n00:01.000 --> 00:02.000\n \nno<00:01.500><c> no</c>\n\n00:02.000 --> 00:02.010\nno no\n \n\n"
        "00:02.010 --> 00:03.000\nno no\nno<00:02.500><c> no</c>\n\n00:03.000 --> 00:03.010\nno no\n \n"
    )
    (tmp_path / "a.vtt").write_text(content)
    assert [line.text for line in read_subtitles(tmp_path / "a.vtt")] == ["no no", "no no"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.srt", "1\n00:00:03,000 --> 00:00:01,000\nx\n", "a.srt, line 2: it ends at 1 s, before its start at 3 s"),
        ("a.srt", "1\n00:00:0x --> 00:00:01,000\nx\n", "a.srt, line 2: times such as 00:00:01,000 --> 00:00:02,500"),
        ("a.vtt", "1\n00:00:01,000 --> 00:00:02,000\nx\n", "a.vtt: it does not begin with WEBVTT"),
    ],
)
def test_damaged_subtitles_are_named_by_line(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DecodeError, match=said):
        read_subtitles(tmp_path / name)


def test_what_looks_like_markup_and_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\n1 < 2 and 3 > 2 {here} a --> b\n\n42\n\nmore\n")
    assert read_subtitles(tmp_path / "a.srt") == (TimedText(1.0, 2.0, "1 < 2 and 3 > 2 {here} a --> b 42 more"),)


def test_no_pattern_takes_quadratic_time(tmp_path: Path) -> None:
    line = "<" * 100_000 + "{\\" * 100_000 + "<a" * 100_000 + "<1:1" * 100_000
    (tmp_path / "a.srt").write_text(f"1\n00:00:01,000 --> 00:00:02,000\n{line}\n" + "x\n" * 50_000)
    begin = time.monotonic()
    read_subtitles(tmp_path / "a.srt")
    assert time.monotonic() - begin < 3
