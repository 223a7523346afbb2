"""Damaged media: a reason that names the file, never a crash, a hang, or something else's traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstta_tasks.data.build_cache import build_cache
from lstta_tasks.data.cache import CacheReader
from lstta_tasks.data.clip import ClipSource, DecodeError, Preprocessing
from lstta_tasks.data.decode import decode_clip
from lstta_tasks.data.verify_cache import damage_in

SETTINGS = Preprocessing(segments=3, frames_per_segment=5, frame_size=(6, 8), sample_rate=8_000, sound_seconds=1.0)
Damage = Callable[[bytes], bytes]


def cut(part: float) -> Damage:
    return lambda data: data[: int(len(data) * part)]


def garbage(begin: float, end: float) -> Damage:
    def damage(data: bytes) -> bytes:
        low, high = int(len(data) * begin), int(len(data) * end)
        return data[:low] + np.random.default_rng(0).bytes(high - low) + data[high:]

    return damage


def zeros(begin: float) -> Damage:
    return lambda data: data[: int(len(data) * begin)].ljust(len(data), b"\0")


def hole(begin: float, end: float) -> Damage:
    return lambda data: data[: int(len(data) * begin)] + data[int(len(data) * end) :]


def instead(content: bytes) -> Damage:
    return lambda data: content


DAMAGED: dict[str, tuple[str, Damage]] = {
    "an empty file": (".mp4", instead(b"")),
    "a text": (".mp4", instead(b"This clip has been removed by its owner.\n" * 50)),
    "a web page": (".mp4", instead(b"<!DOCTYPE html><html><body>Sign in</body></html>")),
    "a subtitle file": (".mp4", instead(b"1\n00:00:01,000 --> 00:00:02,000\nHello\n\n")),
    "a playlist": (".mp4", instead(b"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nother.ts\n#EXT-X-ENDLIST\n")),
    "noise": (".mp4", instead(np.random.default_rng(0).bytes(20_000))),
    "one byte": (".webm", instead(b"\x1a")),
    "zero bytes": (".mp4", instead(bytes(5_000))),
    "mp4 with half its index": (".mp4", cut(0.95)),
    "mp4 without its index": (".mp4", cut(0.5)),
    "mp4 cut in its first box": (".mp4", cut(0.01)),
    "mp4 with its index first, cut at 50 %": (".faststart.mp4", cut(0.5)),
    "mp4 with its index first, cut at 90 %": (".faststart.mp4", cut(0.9)),
    "mp4 with its index first, cut at 97 %": (".faststart.mp4", cut(0.97)),
    "mkv cut at 30 %": (".mkv", cut(0.3)),
    "mkv cut at 70 %": (".mkv", cut(0.7)),
    "mkv header alone": (".mkv", cut(0.02)),
    "webm cut at 50 %": (".webm", cut(0.5)),
    "ts cut in its first picture": (".ts", cut(0.02)),
    "mp4 with garbage in its pictures": (".mp4", garbage(0.2, 0.25)),
    "mp4 with garbage in its index": (".mp4", garbage(0.85, 0.9)),
    "mp4 with a zeroed end": (".mp4", zeros(0.5)),
    "mkv with a zeroed end": (".mkv", zeros(0.5)),
    "mkv with a hole": (".mkv", hole(0.5, 0.55)),
    "wav header alone": (".wav", cut(0.00001)),
    "flac cut at 50 %": (".flac", cut(0.5)),
}


@pytest.fixture
def damaged(media: Any, tmp_path: Path) -> Callable[[str], Path]:
    """The path of a file that is damaged in the named way."""

    def make(name: str) -> Path:
        suffix, damage = DAMAGED[name]
        whole = tmp_path / f"whole{suffix}"
        if not whole.exists():
            options = {"movflags": "faststart"} if "faststart" in suffix else {}
            media(clicks=(0.5, 1.5, 2.5), options=options).write(whole)
        path = tmp_path / f"{name.replace(' ', '_')}{whole.suffix}"
        path.write_bytes(damage(whole.read_bytes()))
        return path

    return make


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_an_error_that_names_the_file(name: str, damaged: Callable[[str], Path]) -> None:
    path = damaged(name)
    with pytest.raises(DecodeError) as raised:
        decode_clip(ClipSource("a", path), SETTINGS)
    assert str(raised.value).startswith(f"{path}: ")
    assert len(str(raised.value)) > len(f"{path}: ") + 8


def test_what_is_no_file_is_an_error(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "gone.mp4", "no such file"), (tmp_path, "not a file")):
        with pytest.raises(DecodeError, match=reason):
            decode_clip(ClipSource("a", path), SETTINGS)


def test_damaged_sound_beside_a_good_video_is_an_error(
    media: Any, damaged: Callable[[str], Path], tmp_path: Path
) -> None:
    video = media(sound="").write(tmp_path / "v.mp4")
    with pytest.raises(DecodeError, match="wav"):
        decode_clip(ClipSource("a", video, damaged("wav header alone")), SETTINGS)
    with pytest.raises(DecodeError, match="no sound in it"):
        decode_clip(ClipSource("a", video, video), SETTINGS)


def test_a_clip_past_the_end_is_an_error_with_both_times(media: Any, tmp_path: Path) -> None:
    path = media().write(tmp_path / "v.mp4")
    with pytest.raises(DecodeError, match=r"starts at 7\.00 s, the file ends at 3\.00 s"):
        decode_clip(ClipSource("a", path, start=7.0, end=9.0), SETTINGS)


def test_a_build_lists_every_damaged_file_and_caches_all_others(
    media: Any, damaged: Callable[[str], Path], tmp_path: Path
) -> None:
    sources = [ClipSource(name, damaged(name)) for name in DAMAGED]
    sources.insert(3, ClipSource("good", media(clicks=(0.5,)).write(tmp_path / "good.mp4")))
    sources.insert(11, ClipSource("gone", tmp_path / "gone.mp4"))
    sources.append(ClipSource("silent", media(sound="").write(tmp_path / "silent.mp4")))
    report = build_cache(tmp_path / "cache", sources, SETTINGS, workers=2)
    reader = CacheReader(tmp_path / "cache")
    assert reader.ids() == ["good", "silent"]
    assert report.failed.keys() == {*DAMAGED, "gone"}
    assert reader.failures == report.failed
    assert (report.total, report.built, report.reused) == (len(sources), 2, 0)
    assert not reader.read("silent").has_sound


def fuzz(media: Any, tmp_path: Path, tries: int) -> None:
    """Flip bytes of real files at random; whatever comes of it, it is a clip or a reason."""
    wholes = [media().write(tmp_path / f"whole{suffix}") for suffix in (".mp4", ".mkv", ".webm", ".ts", ".mov")]
    random = np.random.default_rng(7)
    sources = []
    for number in range(tries):
        whole = wholes[number % len(wholes)]
        data = bytearray(whole.read_bytes())
        # Headers are a small part of a file and the one where most can go wrong.
        reach = len(data) if number % 2 else 800
        for place in random.integers(0, reach, int(random.integers(1, 30))):
            data[place if number % 4 else -1 - place] = random.integers(256)
        path = tmp_path / f"fuzz{number}{whole.suffix}"
        path.write_bytes(data)
        sources.append(ClipSource(path.name, path))
    report = build_cache(tmp_path / "cache", sources, SETTINGS, workers=2, time_limit=20.0)
    assert report.built + len(report.failed) == tries
    assert report.failed
    assert report.built
    died = {clip_id: why for clip_id, why in report.failed.items() if "died" in why or "takes longer" in why}
    assert not died
    assert damage_in(CacheReader(tmp_path / "cache")) == {}


def test_random_bytes_flipped(media: Any, tmp_path: Path) -> None:
    fuzz(media, tmp_path, 40)


@pytest.mark.slow
@pytest.mark.timeout(3_000)
def test_many_random_bytes_flipped(media: Any, tmp_path: Path) -> None:
    fuzz(media, tmp_path, 1_500)
