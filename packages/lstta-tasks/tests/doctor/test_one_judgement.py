"""Doctor and cache never disagree: what the one calls unreadable the other cannot decode."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from odd_films import make, write

from lstta_tasks.data.build_cache import build_cache
from lstta_tasks.data.clip import ClipSource, DecodeError, Preprocessing
from lstta_tasks.data.decode import decode_clip
from lstta_tasks.doctor.probe import decode_each, probe, probe_all

SETTINGS = Preprocessing(segments=4, frames_per_segment=2, frame_size=(6, 8), sample_rate=8_000, sound_seconds=0.5)
FILMS = ("h264-open-cut.mp4", "h264-open-cut.ts", "pal8.avi", "xvid-packed.avi", "h264-restarts.ts", "h264-still.mkv",
         "mpeg2-cut.ts", "gif-one.gif")  # fmt: skip


def damaged(path: Path, begin: float, end: float) -> Path:
    """A copy with noise in a part of it."""
    data = bytearray(path.read_bytes())
    low, high = int(len(data) * begin), int(len(data) * end)
    data[low:high] = np.random.default_rng(0).bytes(high - low)
    other = path.with_name(f"{begin}-{path.name}")
    other.write_bytes(data)
    return other


@pytest.mark.parametrize("name", FILMS)
def test_odd_films_are_usable_for_both(name: str, tmp_path: Path) -> None:
    source = ClipSource("a", make(name, tmp_path))
    clip = decode_clip(source, SETTINGS)
    found = probe(source, SETTINGS)
    assert (found.usable, found.has_video, found.has_sound) == (True, clip.has_video, clip.has_sound)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "avi"])
def test_whatever_is_called_unreadable_cannot_be_decoded(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"film.{suffix}", "mpeg4" if suffix == "avi" else "h264", seconds=20)
    called = 0
    for begin in (0.0, 0.005, 0.02, 0.3, 0.7, 0.97):
        for start, end in ((None, None), (12.0, 14.0), (15.0, 90.0)):
            source = ClipSource("a", damaged(path, begin, begin + 0.02), start=start, end=end)
            reason = probe(source, SETTINGS).unreadable
            if reason is not None:
                called += 1
                with pytest.raises(DecodeError) as raised:
                    decode_clip(source, SETTINGS)
                assert str(raised.value) == reason
    assert called


def test_decoding_each_finds_what_building_the_cache_finds(tmp_path: Path) -> None:
    whole = write(tmp_path / "film.mp4", "h264", seconds=20)
    films = {"whole": whole, "gone": tmp_path / "gone.mp4", "middle": damaged(whole, 0.4, 0.5)}
    sources = [ClipSource(name, path) for name, path in films.items()]
    looked_at = probe_all(sources, preprocessing=SETTINGS)
    assert [name for name, found in looked_at.items() if not found.usable] == ["gone"]
    decoded = decode_each(sources, looked_at, preprocessing=SETTINGS, workers=1)
    failed = build_cache(tmp_path / "cache", sources, SETTINGS, workers=1).failed
    assert {name: found.missing or found.unreadable for name, found in decoded.items() if not found.usable} == failed
    assert failed.keys() == {"gone", "middle"}
    assert decoded["whole"] == looked_at["whole"]
