"""The right picture or none: each kind of file that was wrong without a word, or refused without a reason."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from ffmpeg import compare, ffmpeg, reference
from odd_films import make, write
from seen_and_heard import SETTINGS, assert_pictures_are_of_their_times, heard, settings

from lstta_tasks.data import clip as versions
from lstta_tasks.data import tracks as opened
from lstta_tasks.data.build_cache import build_cache
from lstta_tasks.data.cache import CacheError, CacheReader
from lstta_tasks.data.clip import ClipSource, DecodeError
from lstta_tasks.data.complaints import listening
from lstta_tasks.data.decode import decode_clip
from lstta_tasks.doctor.probe import probe


def test_a_palette_that_comes_once_is_kept(tmp_path: Path) -> None:
    path = make("pal8.avi", tmp_path)
    clip = decode_clip(ClipSource("a", path), settings(segments=8, frames_per_segment=1))
    assert clip.frames.mean((2, 3, 4)).min() > 50  # black before
    assert probe(ClipSource("a", path)).usable


def test_all_of_two_streams_whose_clock_restarts(media: Any, tmp_path: Path) -> None:
    made = media(seconds=5.0, clicks=[1.5, 4.5], rate=16_000)
    part = made.write(tmp_path / "part.ts").read_bytes()
    path = tmp_path / "twice.ts"
    path.write_bytes(part * 2)
    four = settings(segments=4, frames_per_segment=10, sound_seconds=3.0)
    clip = decode_clip(ClipSource("a", path), four)
    assert clip.duration == pytest.approx(10.0, abs=0.1)
    times = clip.frame_times.reshape(-1)
    assert (np.diff(times) > 0).all()
    np.testing.assert_allclose(clip.frames.mean((2, 3, 4)).reshape(-1), [made.grey(time % 5) for time in times], atol=3)
    assert heard(clip, four) == pytest.approx([1.5, 4.5, 6.5, 9.5], abs=0.1)
    found = probe(ClipSource("a", path))
    assert found.usable
    late = decode_clip(ClipSource("a", path, start=6.0, end=8.0), SETTINGS)
    assert late.frames.mean() == pytest.approx(made.grey(2.0), abs=4)


@pytest.mark.parametrize("name", ["a.webm", "a.mkv"])
def test_a_clock_that_goes_back_where_ffmpeg_does_not_mend_it_is_listed(name: str, tmp_path: Path) -> None:
    part = write(tmp_path / f"part{name}", "vp8", seconds=6)
    (tmp_path / name).write_bytes(part.read_bytes() * 2)
    for span in ({}, {"start": 1.0, "end": 2.0}):
        with pytest.raises(DecodeError, match=r"its clock goes back .* parts of it have the same times"):
            decode_clip(ClipSource("a", tmp_path / name, **span), SETTINGS)


def with_a_cut_side_message(tmp_path: Path) -> tuple[Path, Path]:
    """A film that has a side message with each keyframe, and the same with two of them cut."""
    path = tmp_path / "clean.mp4"
    marked = "dump_extra=freq=keyframe,h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+something"
    write(tmp_path / "plain.ts", "h264")
    ffmpeg("-y", "-i", tmp_path / "plain.ts", "-c", "copy", "-bsf:v", marked, path)
    data = bytearray(path.read_bytes())
    name = bytes.fromhex("086f3693b7b34f2c965321492feee5b8")
    places = [at for at in range(len(data)) if data[at : at + 16] == name]
    assert len(places) > 4
    for at in places[2:4]:
        assert data[at - 2] == 5
        data[at - 1] = 200  # so many bytes, it says
    (tmp_path / "cut.mp4").write_bytes(data)
    return path, tmp_path / "cut.mp4"


def test_a_side_message_that_is_cut_is_no_damage(tmp_path: Path) -> None:
    clean, cut = with_a_cut_side_message(tmp_path)
    shown = reference(cut)
    assert "SEI" in shown.complaints
    assert compare(cut, shown, (1, 8, 24)) == 33
    several = settings(segments=8, frames_per_segment=3)
    expected = decode_clip(ClipSource("a", clean), several)
    np.testing.assert_array_equal(decode_clip(ClipSource("a", cut), several).frames, expected.frames)
    assert probe(ClipSource("a", cut)).usable


def test_damage_is_still_listed_beside_what_is_none(tmp_path: Path) -> None:
    _, cut = with_a_cut_side_message(tmp_path)
    data = bytearray(cut.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = np.random.default_rng(0).bytes(400)
    cut.write_bytes(data)
    with pytest.raises(DecodeError, match=r"cut\.mp4: damaged (at|before) \d+\.\d\d s: \w+"):
        decode_clip(ClipSource("a", cut), settings(segments=8, frames_per_segment=10))


@pytest.mark.parametrize("name", ["h264-open-cut.mp4", "h264-open-cut.ts", "hevc-open-cut.mp4", "mpeg2-cut.ts"])
def test_cut_out_of_an_open_group_doctor_and_cache_agree(name: str, tmp_path: Path) -> None:
    path = make(name, tmp_path)
    assert decode_clip(ClipSource("a", path), SETTINGS).has_video
    assert probe(ClipSource("a", path)).usable


@pytest.mark.parametrize("codec", ["h264-intra-refresh", "h264-one-key", "pal8", "mpeg4-b"])
def test_no_file_takes_quadratic_time(codec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where decoding cannot begin anew, every packet is read and decoded once, however many pictures are wanted."""
    path = write(tmp_path / ("a.avi" if codec == "pal8" else "a.mp4"), codec, seconds=240)
    counts = {"next": 0, "decode": 0}
    for name in counts:
        original = getattr(opened.Packets, name)

        def counted(self: opened.Packets, *arguments: Any, name: str = name, original: Any = original) -> Any:
            counts[name] += 1
            return original(self, *arguments)

        monkeypatch.setattr(opened.Packets, name, counted)
    decode_clip(ClipSource("a", path), settings(segments=24, frames_per_segment=1))
    assert counts["decode"] <= 1_201
    assert counts["next"] <= 3 * 1_201


def two_pictures(path: Path, apart: int) -> Path:
    """Two pictures so many seconds apart, and half a second of sound at the beginning."""
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("mjpeg", rate=25)
        video.width, video.height, video.pix_fmt, video.time_base = 64, 48, "yuvj420p", Fraction(1, 1000)
        sound: Any = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        container.start_encoding()
        for number, time in enumerate((0, apart)):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 60 + 90 * number, np.uint8), format="rgb24")
            picture.pts, picture.time_base = 1000 * time, Fraction(1, 1000)
            container.mux(video.encode(picture.reformat(format="yuvj420p")))
            samples = av.AudioFrame.from_ndarray(np.full((1, 8_000), 900, np.int16), format="s16", layout="mono")
            samples.sample_rate, samples.pts, samples.time_base = 16_000, 16_000 * time, Fraction(1, 16_000)
            container.mux(sound.encode(samples))
    return path


MEASURE = """
import resource, sys
from pathlib import Path
from lstta_tasks.data.clip import ClipSource, Preprocessing
from lstta_tasks.data.decode import decode_clip
from lstta_tasks.explain.excerpt import read_media
from lstta_tasks.explain import inline
from lstta_tasks.explain.spectrogram import spectrogram
settings = Preprocessing(segments=2, frame_size=(6, 8), sample_rate=16_000, sound_seconds=0.5)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    source = ClipSource("a", Path(sys.argv[1]))
    clip = decode_clip(source, settings)
    media = read_media(source, settings, clip.duration)
    spectrogram(media), inline.sound(media), media.strip()
    print(clip.duration)
except ValueError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def decoded_and_drawn(path: Path) -> tuple[str, int]:
    """What comes of it, and the megabytes that it takes besides."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", MEASURE, str(path)]
    said = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert said.returncode == 0, said.stderr
    result, megabytes = said.stdout.splitlines()
    return result, int(megabytes)


def test_a_gap_of_a_million_seconds_takes_no_memory(tmp_path: Path) -> None:
    result, megabytes = decoded_and_drawn(two_pictures(tmp_path / "a.mkv", 1_000_000))
    assert float(result) == pytest.approx(1_000_000, abs=2)
    assert megabytes < 250  # half an hour of sound, twice


def png(width: int, height: int) -> bytes:
    """16 bit RGBA, with the beginning of its pixels alone."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 16, 6, 0, 0, 0)
    pixels = zlib.compress(bytes(1 << 20))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [7_000, 12_000])
@pytest.mark.parametrize("name", ["a.png", "a.mkv", "a.mov", "a.avi"])
def test_a_picture_too_large_is_refused_before_anything_is_allocated(name: str, side: int, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(side, side))
    if name != "a.png":
        ffmpeg("-y", "-f", "png_pipe", "-i", path, "-c", "copy", tmp_path / name)
    result, megabytes = decoded_and_drawn(tmp_path / name)
    assert "no picture can be decoded" in result
    assert megabytes < 50


@pytest.mark.parametrize("name", ["a.mp3", "a.aac", "a.ts"])
@pytest.mark.parametrize(("first", "second"), [((44_100, 1), (44_100, 2)), ((44_100, 2), (16_000, 1))])
def test_sound_that_changes_midway(name: str, first: tuple[int, int], second: tuple[int, int], tmp_path: Path) -> None:
    parts = []
    for number, (rate, channels) in enumerate((first, second)):
        part = tmp_path / f"{number}{name}"
        tone = f"sine=frequency={440 + 220 * number}:duration=6:sample_rate={rate}"
        film = ("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=5:duration=6") if name == "a.ts" else ()
        ffmpeg("-y", "-f", "lavfi", "-i", tone, *film, "-ac", str(channels), "-ar", str(rate), part)
        parts.append(part.read_bytes())
    path = tmp_path / name
    path.write_bytes(b"".join(parts))
    clip = decode_clip(ClipSource("a", path), settings(segments=6, sound_seconds=1.0))
    assert clip.duration == pytest.approx(12, abs=0.2)
    raw = tmp_path / "wanted.raw"
    ffmpeg("-y", "-i", path, "-map", "0:a:0", "-ac", "1", "-ar", "16000", "-f", "s16le", raw)
    whole = np.frombuffer(raw.read_bytes(), np.int16).astype(float)
    for segment in range(6):
        begin = round((segment + 0.5) * clip.duration / 6 * 16_000) - 8_000
        loud = np.sqrt((whole[begin : begin + 16_000] ** 2).mean())
        assert clip.sound_length[segment] == 16_000
        assert np.sqrt((clip.sound[segment].astype(float) ** 2).mean()) == pytest.approx(loud, rel=0.02)
        spectrum = np.abs(np.fft.rfft(clip.sound[segment].astype(float)))
        assert spectrum.argmax() == pytest.approx(440 if segment < 3 else 660, abs=2)


def without_length(data: bytes) -> bytes:
    """An MP3 without the frame that says how long it is."""
    at = data.index(b"Xing") if b"Xing" in data else data.index(b"Info")
    return data[:at] + b"\0\0\0\0" + data[at + 4 :]


def test_where_a_header_only_estimates_the_length_the_packets_count(tmp_path: Path) -> None:
    """Quiet, then loud, at a variable bit rate: the beginning's rate says several minutes."""
    path = tmp_path / "a.mp3"
    tones = "aevalsrc='if(lt(t,20),0,0.5*random(0)*sin(880*t))':d=30:s=44100"
    ffmpeg("-y", "-f", "lavfi", "-i", tones, "-q:a", "0", path)
    path.write_bytes(without_length(path.read_bytes()))
    for span in ({}, {"end": 30.0}, {"start": 10.0, "end": 60.0}):
        clip = decode_clip(ClipSource("a", sound=path, **span), SETTINGS)
        assert clip.duration == pytest.approx(30.0 - span.get("start", 0.0), abs=0.2)
        assert probe(ClipSource("a", sound=path, **span)).usable
    late = ClipSource("a", sound=path, start=25.0, end=29.0)
    assert probe(late).usable
    assert decode_clip(late, SETTINGS).sound.any()


def test_a_film_that_is_nothing_but_pictures(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h264", "h264")
    assert decode_clip(ClipSource("a", path), SETTINGS).duration > 5


def test_joined_films_of_two_sizes_are_read_whole(media: Any, tmp_path: Path) -> None:
    made = media(seconds=4.0, sound="")
    first = made.write(tmp_path / "1.ts").read_bytes()
    second = media(seconds=4.0, sound="", size=(96, 80)).write(tmp_path / "2.ts").read_bytes()
    path = tmp_path / "a.ts"
    path.write_bytes(first + second)
    clip = decode_clip(ClipSource("a", path), settings(segments=2, frames_per_segment=4))
    assert clip.duration == pytest.approx(8.0, abs=0.1)
    assert_pictures_are_of_their_times(decode_clip(ClipSource("a", path, end=3.9), SETTINGS), made)


def test_a_cache_of_an_older_way_of_decoding_is_refused_with_the_commands(
    media: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = ClipSource("a", media(seconds=1.0).write(tmp_path / "a.mp4"))
    with monkeypatch.context() as before:
        before.setattr(versions, "DECODING_VERSION", 1)
        build_cache(tmp_path / "cache", [source], SETTINGS, workers=1)
    refused = r"another version .*lstta cache build CONFIG, and lstta cache prefix CONFIG"
    with pytest.raises(CacheError, match=refused):
        CacheReader(tmp_path / "cache", SETTINGS)
    with pytest.raises(CacheError, match=refused):
        build_cache(tmp_path / "cache", [source], SETTINGS, workers=1)


def test_side_messages_are_harmless_and_concealment_is_not() -> None:
    said = ["SEI type 5 size 200 truncated at 19\n", "mmco: unref short failure\n", "error while decoding MB 3 1\n"]
    with listening() as heard:
        for line in said:
            av.logging.log(av.logging.ERROR, "h264", line)
    assert heard == ["error while decoding MB 3 1"]
    assert av.logging.get_level() is None
