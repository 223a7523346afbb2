"""Subtitles beside media files: which get some, what is in them, and that readers take them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_world import write_film

from lstta_tasks.annotations.subtitles import read_subtitles
from lstta_tasks.sample import TimedText
from lstta_tasks.tasks.classification import Classification
from lstta_tasks.transcribe.sound import whole_sound
from lstta_tasks.transcribe.transcribe import RATE, files_of, transcribe
from lstta_tasks.transcribe.write import write_subtitles


class Hears:
    """A line for each file that has sound; counts them."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.heard: list[int] = []
        self.fails_at = fails_at

    def __call__(self, sound: Any) -> Sequence[tuple[float, float, str]]:
        if len(self.heard) == self.fails_at:
            raise KeyboardInterrupt
        self.heard.append(len(sound))
        return [(0.25, 0.75, f"line {len(self.heard)}")] if len(sound) else []


@pytest.fixture
def films(tmp_path: Path) -> Path:
    for name in "abc":
        write_film(tmp_path / f"{name}.mp4", sound=name != "b")
    return tmp_path


def test_each_file_gets_its_own(films: Path) -> None:
    hears = Hears()
    done = transcribe(files_of([films]), lambda: hears)
    assert [path.name for path in done.written] == ["a.srt", "b.vtt", "c.srt"]
    assert read_subtitles(films / "a.srt") == (TimedText(0.25, 0.75, "line 1"),)
    assert read_subtitles(films / "b.vtt") == ()  # nothing is said in it
    assert hears.heard[0] == pytest.approx(RATE, rel=0.1)
    assert hears.heard[1] == 0


def test_those_that_are_there_are_kept(films: Path) -> None:
    (films / "c.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nmine\n")
    done = transcribe(files_of([films]), Hears)
    assert [path.name for path in done.kept] == ["c.vtt"]
    assert read_subtitles(films / "c.vtt")[0].text == "mine"

    def never() -> Hears:
        raise AssertionError("nothing is left to hear")

    assert len(transcribe(files_of([films]), never).kept) == 3
    again = transcribe(files_of([films]), Hears, again=True)
    assert [path.name for path in again.written] == ["a.srt", "b.vtt", "c.srt"]
    assert not (films / "c.vtt").exists()


def test_a_run_that_was_ended_goes_on(films: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        transcribe(files_of([films]), lambda: Hears(fails_at=1))
    assert sorted(path.name for path in films.iterdir()) == ["a.mp4", "a.srt", "b.mp4", "c.mp4"]
    done = transcribe(files_of([films]), Hears)
    assert [path.name for path in done.written] == ["b.vtt", "c.srt"]


def test_one_that_cannot_be_read_costs_no_other(films: Path) -> None:
    (films / "a.mp4").write_text("no film")
    done = transcribe(files_of([films]), Hears)
    assert [path.name for path in done.written] == ["b.vtt", "c.srt"]
    assert list(done.failed) == [str(films / "a.mp4")]


def test_files_of_a_table(films: Path) -> None:
    (films / "my.csv").write_text("video,label\na.mp4,x\nc.mp4,y\na.mp4,y\n")
    assert [path.name for path in files_of([films / "my.csv", films / "b.mp4"])] == ["a.mp4", "c.mp4", "b.mp4"]
    (films / "bad.csv").write_text("film,label\na.mp4,x\n")
    with pytest.raises(ValueError, match=r"bad.csv.*video"):
        files_of([films / "bad.csv"])
    with pytest.raises(FileNotFoundError, match=r"none.csv: there is no such file"):
        files_of([films / "none.csv"])


def test_times_as_subrip_has_them(tmp_path: Path) -> None:
    lines = [TimedText(0.0, 1.2345, "one"), TimedText(3599.9996, 3661.5, "zwei ä")]
    path = write_subtitles(tmp_path / "film.mp4", lines)
    assert "01:00:00,000 --> 01:01:01,500" in path.read_text(encoding="utf-8")
    found = read_subtitles(path)
    assert [line.text for line in found] == ["one", "zwei ä"]
    np.testing.assert_allclose([line.start for line in found], [line.start for line in lines], atol=1e-3)


def test_sound_begins_with_the_first_picture(films: Path) -> None:
    sound = whole_sound(films / "a.mp4", RATE)
    assert sound.dtype == np.int16
    assert len(sound) == pytest.approx(RATE, rel=0.1)
    assert np.abs(sound).max() > 10_000


class TestClassification:
    """A table's reader takes what was written."""

    @pytest.fixture
    def table(self, films: Path) -> Path:
        lines = [TimedText(0.0, 0.3, "first"), TimedText(0.6, 0.9, "second")]
        write_subtitles(films / "a.mp4", lines)
        rows = ["a.mp4,x,,", "a.mp4,y,0.5,1", "b.mp4,x,,"]
        (films / "my.csv").write_text("\n".join(["video,label,start,end,split", *(f"{row},train" for row in rows)]))
        return films / "my.csv"

    def test_what_is_said_has_times_of_the_clip(self, table: Path) -> None:
        task = Classification(path=table, subtitles=True)
        whole, part, none = task.samples("train")
        assert [(line.start, line.text) for line in whole.timed] == [(0.0, "first"), (0.6, "second")]
        assert [(round(line.start, 9), line.text) for line in part.timed] == [(0.1, "second")]
        assert none.timed == ()
        assert task.timed_text
        assert task.options()["subtitles"] is True

    def test_nothing_is_read_where_nobody_asks(self, table: Path) -> None:
        task = Classification(path=table)
        assert not task.timed_text
        assert task.samples("train")[0].timed == ()
        assert "subtitles" not in task.options()
