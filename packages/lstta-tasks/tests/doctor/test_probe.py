from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np
import pytest
from small_world import write_film

from lstta_tasks.data.clip import ClipSource
from lstta_tasks.doctor.probe import Probe, probe, probe_all
from lstta_world.film_files import write_mp4

RATE = 16_000


def write(path: Path, *, seconds: float = 3.0, loud_from: float = 0.0) -> Path:
    """A film whose sound is zeros, and a tone from ``loud_from`` (a share of its length) on."""
    time = np.arange(round(seconds * RATE)) / RATE
    tone = np.where(time >= loud_from * seconds, 9000 * np.sin(2 * np.pi * 440 * time), 0).astype(np.int16)
    pictures = np.random.default_rng(0).integers(0, 255, (round(seconds * 8), 48, 64, 3), dtype=np.uint8)
    write_mp4(path, iter(pictures), tone, 8, RATE)
    return path


def write_sound(path: Path, seconds: float) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.full(round(seconds * RATE), 900, np.int16).tobytes())
    return path


def test_a_whole_film(tmp_path: Path) -> None:
    found = probe(ClipSource("a", write(tmp_path / "a.mp4")))
    assert found == Probe(duration=found.duration, has_video=True, has_sound=True)
    assert found.duration == pytest.approx(3.0, abs=0.05)
    assert found.usable


def test_what_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    assert probe(ClipSource("a", path)) == Probe(missing=f"{path}: there is no such file")
    path.touch()
    assert probe(ClipSource("a", path)) == Probe(missing=f"{path}: the file is empty (0 bytes)")
    assert not probe(ClipSource("a", path)).usable
    there = write(tmp_path / "b.mp4")
    assert (
        probe(ClipSource("b", there, sound=tmp_path / "b.wav")).missing
        == f"{tmp_path / 'b.wav'}: there is no such file"
    )


def test_what_is_no_film(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("<html>404 not found</html>")
    assert f"{path}: not a media file" in str(probe(ClipSource("a", path)).unreadable)


def rewrapped(path: Path, film: Path, *, delay: float = 0.0, **options: str) -> Path:
    """The same film in the container that ``path`` names; with all its times later."""
    with av.open(str(film)) as source, av.open(str(path), "w", options=options) as target:
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None and packet.pts is not None:
                packet.dts += round(delay / packet.time_base)
                packet.pts += round(delay / packet.time_base)
                packet.stream = streams[packet.stream_index]
                target.mux(packet)
    return path


@pytest.mark.parametrize(("end", "goes_on"), [(None, 0.0), (2.0, 4.0), (7.0, 0.0)])
def test_how_long_a_film_goes_on_behind_its_clip(tmp_path: Path, end: float | None, goes_on: float) -> None:
    path = write(tmp_path / "a.mp4", seconds=6.0)
    assert probe(ClipSource("a", path, end=end)).goes_on == pytest.approx(goes_on, abs=0.15)


@pytest.mark.parametrize("options", [{}, {"movflags": "faststart"}])
def test_a_film_that_was_cut_off(tmp_path: Path, options: dict[str, str]) -> None:
    path = rewrapped(tmp_path / "a.mp4", write(tmp_path / "whole.mp4", seconds=6.0), **options)
    assert probe(ClipSource("a", path)).usable
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    reason = str(probe(ClipSource("a", path)).unreadable)
    assert reason.startswith(f"{path}: ")
    assert "cut off" in reason


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts", "a.mov"])
@pytest.mark.parametrize("delay", [0.0, 5.0])
def test_films_that_begin_late(tmp_path: Path, name: str, delay: float) -> None:
    path = rewrapped(tmp_path / name, write(tmp_path / "film.mp4"), delay=delay)
    found = probe(ClipSource("a", path))
    assert (found.usable, found.has_video, found.has_sound, found.silent) == (True, True, True, False)
    assert found.duration == pytest.approx(3.0, abs=0.15)


def test_pictures_that_cannot_be_decoded(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4")
    content = bytearray(path.read_bytes())
    begin = content.index(b"mdat") + 4
    end = content.index(b"moov")
    content[begin:end] = bytes(end - begin)
    path.write_bytes(bytes(content))
    assert not probe(ClipSource("a", path)).usable


def test_films_without_sound_and_with_silence(tmp_path: Path) -> None:
    write_film(tmp_path / "mute.mp4", sound=False)
    assert not probe(ClipSource("a", tmp_path / "mute.mp4")).has_sound
    silent = probe(ClipSource("a", write(tmp_path / "silent.mp4", loud_from=1.0)))
    assert silent.has_sound
    assert silent.silent
    assert not probe(ClipSource("a", write(tmp_path / "late.mp4", seconds=10.0, loud_from=0.75))).silent


def test_silence_is_looked_for_within_the_clip(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", seconds=10.0, loud_from=0.5)
    assert probe(ClipSource("a", path, start=0.0, end=4.0)).silent
    assert not probe(ClipSource("a", path, start=5.5, end=9.0)).silent


def test_sound_alone_and_sound_beside(tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "a.wav", 2.0)
    alone = probe(ClipSource("a", sound=sound))
    assert (alone.has_video, alone.has_sound, alone.silent) == (False, True, False)
    assert alone.duration == pytest.approx(2.0)
    write_film(tmp_path / "a.mp4", sound=False)
    beside = probe(ClipSource("a", tmp_path / "a.mp4", sound=sound))
    assert (beside.has_video, beside.has_sound) == (True, True)
    assert beside.duration == pytest.approx(1.0, abs=0.05)
    assert (
        probe(ClipSource("a", sound, sound=tmp_path / "a.mp4")).unreadable
        == f"{tmp_path / 'a.mp4'}: there is no sound in it"
    )


def test_spans(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4")
    assert probe(ClipSource("a", path, start=1.0, end=2.5)).duration == pytest.approx(1.5)
    long = probe(ClipSource("a", path, start=1.0, end=5.0))
    assert long.duration == pytest.approx(2.0, abs=0.05)
    assert long.short_of == pytest.approx(2.0, abs=0.05)
    late = probe(ClipSource("a", path, start=7.0, end=9.0))
    assert late.unreadable == f"{path}: the clip starts at 7.00 s, the file ends at 3.00 s"


def test_many_at_once(tmp_path: Path) -> None:
    sources = [ClipSource(f"c{i}", write(tmp_path / f"{i}.mp4", seconds=1 + i / 4)) for i in range(5)]
    sources.append(ClipSource("none", tmp_path / "none.mp4"))
    found = probe_all(sources, workers=3)
    assert found == {source.id: probe(source) for source in sources}
    assert list(found) == ["c0", "c1", "c2", "c3", "c4", "none"]
    assert probe_all([]) == {}
