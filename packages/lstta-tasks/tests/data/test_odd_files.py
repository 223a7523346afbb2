"""Odd names, things that are no files, and headers that lie: each is read, or listed with its reason."""

from __future__ import annotations

import io
import os
import re
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import av
import numpy as np
import pytest
from PIL import Image

from lstta_tasks.data import decode_worker
from lstta_tasks.data.build_cache import build_cache
from lstta_tasks.data.cache import CacheReader
from lstta_tasks.data.clip import Clip, ClipSource, DecodeError, Preprocessing
from lstta_tasks.data.decode import decode_clip
from lstta_tasks.data.files import missing
from lstta_tasks.data.verify_cache import damage_in

SETTINGS = Preprocessing(segments=2, frames_per_segment=1, frame_size=(6, 8), sample_rate=8_000, sound_seconds=0.5)
NAMES = [
    b"100%.mp4",
    b"%03d.mp4",
    b"a b.mp4",
    "ü 漢字 😀.mp4".encode(),
    b"\xff\xfe.mp4",
    b"new\nline.mp4",
    b"http:x.mp4",
    b"concat:a|b.mp4",
    b"pipe:0",
    b"-i.mp4",
    b"*.mp4",
    b"a#b?c=d.mp4",
    b"no-suffix",
    b"wrong.wav",
]
IDS = ["x" * 511, "x" * 600, "漢" * 200, "漢" * 201, "emoji 😀\n\t", " ", "nul\0", "__meta__", "a/../b"]


@pytest.fixture
def film(media: Any, tmp_path: Path) -> Path:
    path: Path = media(seconds=1.0, fps=5, clicks=[0.2]).write(tmp_path / "film.mp4")
    return path


def test_names_and_ids_of_every_kind(film: Path, tmp_path: Path) -> None:
    sources = [ClipSource(clip_id, film) for clip_id in IDS]
    for name in NAMES:
        path = tmp_path / os.fsdecode(name)
        shutil.copy(film, path)
        sources.append(ClipSource(repr(name), path))
    (tmp_path / "link.mp4").symlink_to(film)
    sources.append(ClipSource("link", tmp_path / "link.mp4"))
    assert build_cache(tmp_path / "cache", sources, SETTINGS, workers=2).failed == {}
    reader = CacheReader(tmp_path / "cache")
    assert set(reader.ids()) == {source.id for source in sources}
    for source in sources:
        np.testing.assert_array_equal(reader.read(source.id).frames, reader.read("link").frames)
    assert "\ud800" not in reader
    with pytest.raises(ValueError, match=r"the clip id '\\ud800' is no Unicode text"):
        ClipSource("\ud800", film)


def test_what_is_no_file_is_listed(film: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "astray.mp4").symlink_to("nowhere")
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    reasons = {
        tmp_path / "folder.mp4": "not a file",
        tmp_path / "pipe.mp4": "not a file",
        Path("/dev/zero"): "not a file",
        tmp_path / "empty.mp4": "the file is empty (0 bytes)",
        tmp_path / "astray.mp4": "there is no such file",
        film / "inside.mp4": "there is no such file",
        tmp_path / "loop.mp4": "it cannot be looked at (Too many levels of symbolic links)",
        tmp_path / ("x" * 300): "it cannot be looked at (File name too long)",
        Path("nul\0.mp4"): "not a path (it contains a null byte)",
    }
    sources = [ClipSource(str(path), path) for path in reasons]
    report = build_cache(tmp_path / "cache", [*sources, ClipSource("film", film)], SETTINGS, workers=1)
    assert report.built == 1
    assert {Path(clip_id): why.rpartition(": ")[2] for clip_id, why in report.failed.items()} == reasons


def test_a_name_that_no_file_can_have_says_why() -> None:
    assert "null byte" not in str(missing(Path("\ud800.mp4")))
    assert "surrogates not allowed" in str(missing(Path("\ud800.mp4")))


DECODE = """
import sys
from pathlib import Path
from lstta_tasks.data.clip import ClipSource, Preprocessing
from lstta_tasks.data.decode import decode_clip
settings = Preprocessing(segments=1, frame_size=(6, 8), sample_rate=8_000, sound_seconds=0.5)
for path in sys.argv[1:]:
    try:
        decode_clip(ClipSource("a", Path(path)), settings)
    except ValueError as error:
        print(str(error).removeprefix(path))
"""


def test_a_file_without_permission_is_no_damaged_file(film: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    shutil.copy(film, closed)
    film.chmod(0)
    closed.chmod(0)
    command = [sys.executable, "-c", DECODE, str(film), str(closed / "film.mp4")]
    if os.geteuid() == 0:  # who may read everything, unless these two rights are given away
        if shutil.which("setpriv") is None:
            pytest.skip("root reads every file, and there is no setpriv to give that up")
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--", *command]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert said.stdout.splitlines() == [
        ": it cannot be read (Permission denied)",
        ": it cannot be looked at (Permission denied)",
    ], said.stderr


def jpeg(height: int, width: int) -> bytes:
    """A small picture whose header claims another size."""
    out = io.BytesIO()
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(out, "JPEG")
    data = bytearray(out.getvalue())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def avi(whole: bytes, width: int, height: int) -> bytes:
    data = bytearray(whole)
    at = data.index(b"strf") + 12
    data[at : at + 8] = struct.pack("<ii", width, height)
    return bytes(data)


@pytest.mark.parametrize("size", [(65_500, 65_500), (9_000, 9_000)])
def test_a_huge_picture_is_refused_before_it_takes_memory(size: tuple[int, int], tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(jpeg(*size))
    with pytest.raises(DecodeError, match=r"a\.mp4: no picture can be decoded"):
        decode_clip(ClipSource("a", tmp_path / "a.mp4"), SETTINGS)


@pytest.mark.parametrize("size", [(30_000, 30_000), (2**31 - 1, 2**31 - 1), (-5, 0)])
def test_a_container_that_lies_about_the_size_does_no_harm(size: tuple[int, int], media: Any, tmp_path: Path) -> None:
    made = media(seconds=1.0, fps=5, sound="")
    expected = decode_clip(ClipSource("a", made.write(tmp_path / "a.avi")), SETTINGS)
    (tmp_path / "b.avi").write_bytes(avi((tmp_path / "a.avi").read_bytes(), *size))
    np.testing.assert_array_equal(decode_clip(ClipSource("a", tmp_path / "b.avi"), SETTINGS).frames, expected.frames)


def wav(rate: int, channels: int) -> bytes:
    head = struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * channels * 2 % 2**32, channels * 2 % 2**16, 16)
    return b"RIFF" + struct.pack("<I", 5_036) + b"WAVEfmt " + head + b"data" + struct.pack("<I", 5_000) + bytes(5_000)


@pytest.mark.parametrize(
    ("rate", "channels", "reason"),
    [
        (2**31 - 1, 1, "claims to have 2,147,483,647 samples a second"),
        (10**8, 8, "claims to have 100,000,000 samples a second"),
        (1, 1, "claims to have 1 samples a second"),
        (0, 1, "not a media file"),
        (48_000, 65_535, ""),
        (48_000, 0, ""),
    ],
)
def test_a_sound_that_cannot_be_is_refused_before_it_takes_memory(
    rate: int, channels: int, reason: str, film: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.wav").write_bytes(wav(rate, channels))
    for source in (ClipSource("a", sound=tmp_path / "a.wav"), ClipSource("a", film, tmp_path / "a.wav")):
        with pytest.raises(DecodeError, match=rf"a\.wav: .*{reason}"):
            decode_clip(source, SETTINGS)


def test_a_file_that_changes_while_it_is_read_is_listed(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(source: ClipSource, preprocessing: Preprocessing) -> Clip:
        clip = decode_clip(source, preprocessing)
        with film.open("ab") as file:
            file.write(b"more")
        return clip

    monkeypatch.setattr(decode_worker, "decode_clip", decode)
    said = decode_worker._answer(ClipSource("a", film), SETTINGS, "raw")
    assert said == f"{film}: it changed while it was read"


def test_a_decoder_that_fails_says_how_and_with_which_pyav(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a later PyAV has another argument, or the error of a system names no file."""
    monkeypatch.delenv("LSTTA_DEBUG", raising=False)
    for error, told in (
        (TypeError("open() has no argument 'x'"), rf"decoding failed with PyAV {av.__version__}: TypeError: open\(\) "),
        (OSError(5, "Input/output error"), "Input/output error$"),
    ):
        monkeypatch.setattr(decode_worker, "decode_clip", Mock(side_effect=error))
        said = decode_worker._answer(ClipSource("a", film), SETTINGS, "raw")
        assert isinstance(said, str)
        assert re.match(rf"{re.escape(str(film))}: {told}", said)


def test_a_title_in_another_encoding_is_no_hindrance(tmp_path: Path) -> None:
    title = b"INFOINAM" + struct.pack("<I", 5) + b"caf\xe9\0\0"
    form = struct.pack("<HHIIHH", 1, 1, 8_000, 16_000, 2, 16)
    chunks = ((b"fmt ", form), (b"LIST", title), (b"data", bytes(8_000)))
    body = b"WAVE" + b"".join(name + struct.pack("<I", len(data)) + data for name, data in chunks)
    (tmp_path / "a.wav").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    assert decode_clip(ClipSource("a", sound=tmp_path / "a.wav"), SETTINGS).duration == pytest.approx(0.5)


def test_files_that_vanish_during_a_build_are_listed(media: Any, tmp_path: Path) -> None:
    made = media(seconds=1.0, fps=5).write(tmp_path / "film.mp4").read_bytes()
    sources = [ClipSource(f"clip{i}", tmp_path / f"{i}.mp4") for i in range(40)]
    for source in sources:
        assert source.video is not None
        source.video.write_bytes(made)
    cache: Callable[[], bool] = lambda: (tmp_path / "cache.partial/data.mdb").exists()  # noqa: E731

    def vanish() -> None:
        while not cache():
            pass
        for source in sources[10:]:
            assert source.video is not None
            source.video.unlink()

    thread = threading.Thread(target=vanish)
    thread.start()
    report = build_cache(tmp_path / "cache", sources, SETTINGS, workers=2)
    thread.join()
    assert report.failed
    assert report.built + len(report.failed) == 40
    assert all(why.endswith(": there is no such file") for why in report.failed.values())
    assert damage_in(CacheReader(tmp_path / "cache")) == {}
