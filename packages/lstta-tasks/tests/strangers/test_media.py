"""Media from strangers: files that name other files are refused, and the others are not opened."""

from __future__ import annotations

import ctypes
import io
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import cached_world
import numpy as np
import pytest
import untrained
from PIL import Image

from lstta_tasks.data.cache import CacheError, open_cache
from lstta_tasks.data.cache_packing import assemble, pack
from lstta_tasks.data.cache_record import read_header, unpack, view
from lstta_tasks.data.clip import ClipSource, DecodeError, Preprocessing
from lstta_tasks.data.decode import decode_clip
from lstta_tasks.data.jpeg import from_jpeg, to_jpeg
from lstta_tasks.doctor.probe import probe

SETTINGS = Preprocessing(segments=2, frame_size=(8, 8), sample_rate=8000, sound_seconds=0.1)
IN_OPEN = 0x20


@contextmanager
def opened(path: Path) -> Iterator[list[int]]:
    """What happens to a file meanwhile, as the kernel tells: empty where nobody opens it."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    assert watch >= 0
    assert libc.inotify_add_watch(watch, bytes(path), ctypes.c_uint32(IN_OPEN)) >= 0
    events: list[int] = []
    try:
        yield events
        try:
            data = os.read(watch, 4096)
        except BlockingIOError:
            data = b""
        events += [struct.unpack_from("iIII", data, at)[1] for at in range(0, len(data), 16)]
    finally:
        os.close(watch)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret" / "img1.png"
    path.parent.mkdir()
    Image.fromarray(np.full((16, 16, 3), 77, np.uint8)).save(path)
    return path


def naming(secret: Path) -> dict[str, bytes]:
    """Files that name another one, by their names."""
    lines = f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{secret}\n#EXT-X-ENDLIST\n"
    sdp = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
    return {
        "concat.mp4": f"ffconcat version 1.0\nfile {secret}\n".encode(),
        "concat.txt": f"ffconcat version 1.0\nfile 'secret/{secret.name}'\nduration 9\n".encode(),
        "hls.mp4": lines.encode(),
        "hls.m3u8": lines.encode(),
        "dash.mpd": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        b'mediaPresentationDuration="PT3S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" '
        b'bandwidth="9"><BaseURL>' + bytes(secret) + b"</BaseURL></Representation></AdaptationSet></Period></MPD>",
        "session.sdp": sdp.encode(),
    }


@pytest.mark.parametrize("name", ["concat.mp4", "concat.txt", "hls.mp4", "hls.m3u8", "dash.mpd", "session.sdp"])
def test_what_names_other_files(name: str, secret: Path, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(naming(secret)[name])
    with opened(secret) as events:
        with pytest.raises(DecodeError, match=f"{name}: not a media file"):
            decode_clip(ClipSource("a", path), SETTINGS)
        assert probe(ClipSource("a", path)).unreadable
    assert events == []


@pytest.mark.parametrize("name", ["img%d.png", "img%01d.png", "img*.png", "img[0-9].png"])
def test_a_pattern_is_one_file(name: str, secret: Path) -> None:
    """Whatever FFmpeg makes of such a name: that file, or none; never those that it stands for."""
    path = secret.parent / name
    Image.fromarray(np.full((16, 16, 3), 200, np.uint8)).save(path, "PNG")
    with opened(secret) as events, suppress(DecodeError):
        assert decode_clip(ClipSource("a", path), SETTINGS).frames.min() > 190
    assert events == []


def test_the_watch_sees_who_opens(secret: Path) -> None:
    with opened(secret) as events:
        secret.read_bytes()
    assert events


def picture(kind: str, size: tuple[int, int] = (8, 8), mode: str = "RGB") -> bytes:
    data = io.BytesIO()
    Image.new(mode, size, 99).save(data, kind)
    return data.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        *(picture("PNG"), picture("GIF"), picture("TIFF"), picture("BMP"), picture("PPM")),
        *(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n", picture("JPEG", (9, 8)), picture("JPEG", mode="L")),
        *(picture("JPEG", (16_000, 16_000), "L"), b"", b"\xff\xd8\xff"),
    ],
)
def test_pictures_of_a_cache_are_jpeg_of_the_frames_size(data: bytes) -> None:
    frames = np.zeros((1, 8, 8, 3), np.uint8)
    with pytest.raises((ValueError, OSError)):
        from_jpeg(np.frombuffer(data, np.uint8), [len(data)], frames)
    assert not frames.any()


@pytest.mark.parametrize("sizes", [[], [5], [-5, 10], [10**12], [1, 1]])
def test_sizes_of_pictures_that_are_none(sizes: list[int]) -> None:
    data = np.frombuffer(to_jpeg(np.zeros((8, 8, 3), np.uint8)), np.uint8)
    with pytest.raises(ValueError, match="jpeg_bytes"):
        from_jpeg(data, sizes, np.zeros((1, 8, 8, 3), np.uint8))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frames_shape": [10**6, 10**6, 8, 12, 3]}, "frames_shape"),
        ({"sound_shape": [3, 10**12]}, "sound_shape"),
        ({"has_video": 1}, "has_video"),
        ({"duration": float("inf")}, "duration"),
        ({"duration": "9"}, "duration"),
        ({"jpeg_bytes": [1]}, "jpeg_bytes"),
    ],
)
def test_a_clips_header_that_claims_too_much(change: dict[str, object], message: str) -> None:
    clip = cached_world.random_clip(untrained.TOY, 1)
    record = memoryview(pack(ClipSource("a", Path(__file__)), clip, "jpeg"))
    header = read_header(record)
    arrays = {name: view(record, header, name) for name in header["arrays"]}
    del header["arrays"]
    assert unpack(memoryview(assemble(header, arrays)), preprocessing=untrained.TOY).has_video
    with pytest.raises(ValueError, match=message):
        unpack(memoryview(assemble({**header, **change}, arrays)), preprocessing=untrained.TOY)


def test_a_folder_that_says_it_has_a_milliard_shards(tmp_path: Path) -> None:
    (tmp_path / "shard-0-of-1000000000").mkdir()
    with pytest.raises(CacheError, match=r"is said to be in 1,000,000,000 shards; 10,000 at most are read"):
        open_cache(tmp_path)
