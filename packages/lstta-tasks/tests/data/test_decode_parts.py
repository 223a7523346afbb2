"""A part of a file is what the whole has there, without decoding all of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from seen_and_heard import CLICKS, FLASH, SETTINGS, assert_pictures_are_of_their_times, flash_time, heard, settings

from lstta_tasks.data import tracks as opened
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.data.decode import decode_clip


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Any, Path]]:
    """A file of 40 seconds with a click in each, written once a container."""

    @cache
    def write(media: Any, name: str) -> tuple[Any, Path]:
        made = media(seconds=40.0, fps=5, gop=50, rate=16_000, clicks=tuple(np.arange(40) + 0.25))
        return made, made.write(tmp_path_factory.mktemp("long") / name)

    return write


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.webm", "a.ts", "a.flac", "a.mp3", "a.ogg"])
@pytest.mark.parametrize(("start", "end"), [(20.0, 23.0), (31.5, None), (0.0, 3.0), (37.0, 60.0)])
def test_a_part_of_a_long_file(
    name: str, start: float, end: float | None, media: Any, long_file: Callable[..., tuple[Any, Path]]
) -> None:
    made, path = long_file(media, name)
    preprocessing = settings(frames_per_segment=2, sound_seconds=2.0)
    clip = decode_clip(ClipSource("a", path, start=start, end=end), preprocessing)
    assert clip.duration == pytest.approx(min(end or 40, 40) - start, abs=0.05)
    if clip.has_video:
        assert_pictures_are_of_their_times(clip, made, start)
    for moment in heard(clip, preprocessing):
        assert (moment + start) % 1 == pytest.approx(0.25, abs=0.01)


def test_a_part_is_what_the_whole_has_there(media: Any, long_file: Callable[..., tuple[Any, Path]]) -> None:
    _, path = long_file(media, "a.mov")
    whole = decode_clip(ClipSource("a", path), settings(segments=8, frames_per_segment=2, sound_seconds=5.0))
    part = decode_clip(
        ClipSource("a", path, start=25.0, end=30.0), settings(segments=1, frames_per_segment=2, sound_seconds=5.0)
    )
    np.testing.assert_array_equal(part.frames[0], whole.frames[5])
    np.testing.assert_allclose(part.sound[0].astype(int), whole.sound[5].astype(int), atol=2)


def test_seeking_decodes_far_less_than_the_whole_file(media: Any, tmp_path: Path, monkeypatch: Any) -> None:
    path = media(seconds=60.0, fps=5, gop=10).write(tmp_path / "a.mp4")
    packets = 0
    read = opened.Packets.next

    def counted(self: opened.Packets) -> Any:
        nonlocal packets
        packets += 1
        return read(self)

    monkeypatch.setattr(opened.Packets, "next", counted)
    decode_clip(ClipSource("a", path, start=50.0, end=52.0), SETTINGS)
    assert 0 < packets < 250  # of 300 pictures and 2,800 packets of sound


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_an_hour_is_not_decoded_whole(name: str, media: Any, tmp_path: Path, monkeypatch: Any) -> None:
    """Eight segments of an hour, two seconds of sound in each, and three seconds far inside it."""
    clicks = np.arange(3_600) + 0.25
    made = media(seconds=3_600.0, fps=1, gop=10, size=(16, 16), rate=8_000, clicks=clicks, flashes=[2_345.0])
    path = made.write(tmp_path / name)
    decoded = {"video": 0, "audio": 0}
    decode = opened.Packets.decode

    def counted(self: opened.Packets, packet: Any) -> Any:
        decoded[self.stream.type] += 1
        return decode(self, packet)

    monkeypatch.setattr(opened.Packets, "decode", counted)
    preprocessing = settings(segments=8, frames_per_segment=2, sound_seconds=2.0)
    clip = decode_clip(ClipSource("a", path), preprocessing)
    assert clip.duration == pytest.approx(3_600, abs=1)
    assert_pictures_are_of_their_times(clip, made)
    assert [time % 1 for time in heard(clip, preprocessing)] == pytest.approx([0.25] * 8, abs=0.01)
    assert decoded["video"] < 16 * 15  # of 3,600
    assert decoded["audio"] < 8 * 25  # of 28,125

    decoded |= {"video": 0, "audio": 0}
    part = settings(sound_seconds=1.0)
    clip = decode_clip(ClipSource("a", path, start=2_343.5, end=2_346.5), part)
    assert flash_time(clip) == pytest.approx(1.5, abs=0.01)
    assert [time % 1 for time in heard(clip, part)] == pytest.approx([0.75] * 3, abs=0.01)
    assert decoded["video"] < 30
    assert decoded["audio"] < 50


def test_a_file_that_cannot_seek_is_read_from_its_start(media: Any, tmp_path: Path, monkeypatch: Any) -> None:
    made = media(seconds=30.0, fps=5, gop=1000, clicks=np.arange(30) + 0.25)
    source = ClipSource("a", made.write(tmp_path / "a.mp4"), start=20.0, end=23.0)
    expected = decode_clip(source, SETTINGS)
    jump = opened.Packets.jump
    short = lambda self, time: jump(self, time + 5.0)  # noqa: E731
    for broken in (lambda self, time: False, short, lambda self, time: jump(self, time + 19.0)):
        monkeypatch.setattr(opened.Packets, "jump", broken)
        clip = decode_clip(source, SETTINGS)
        np.testing.assert_array_equal(clip.frames, expected.frames)
        np.testing.assert_allclose(clip.sound.astype(int), expected.sound.astype(int), atol=2)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.webm", {"live": "1"}),
        ("a.mkv", {"live": "1"}),
        ("a.mp4", {"movflags": "frag_keyframe+empty_moov+default_base_moof"}),
    ],
)
def test_no_duration_in_the_header(name: str, options: dict[str, str], media: Any, tmp_path: Path) -> None:
    made = media(flashes=[FLASH], clicks=CLICKS, options=options)
    clip = decode_clip(ClipSource("a", made.write(tmp_path / name)), SETTINGS)
    assert clip.duration == pytest.approx(3.0, abs=0.05)
    assert flash_time(clip) == pytest.approx(FLASH, abs=0.04)
    assert heard(clip, SETTINGS) == pytest.approx(CLICKS, abs=0.01)
