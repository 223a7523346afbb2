"""A disk that is full leaves nothing behind but what was whole."""

from __future__ import annotations

import errno
import shutil
import wave
from pathlib import Path
from typing import Any, NoReturn

import pytest
from PIL import Image
from small_sounds import IDS, SETTINGS, build, data, sources

from lstta_tasks.data.build_cache import build_cache, prune_cache
from lstta_tasks.data.cache import CacheError, open_cache
from lstta_tasks.data.cache_writer import CacheWriter
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.data.export_clip import export_clip
from lstta_world.whole_files import whole_file


def full(*_: object, **__: object) -> NoReturn:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return build(tmp_path / "cache", data(tmp_path / "one"))


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_pruning(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CacheWriter, "publish", full)
    with pytest.raises(OSError, match="No space left"):
        prune_cache(cache, IDS[:1])
    assert left(tmp_path) == ["cache", "one"]
    assert len(open_cache(cache)) == 3


def test_adding_to_a_cache_that_there_is_no_room_to_copy(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "copyfile", full)
    more = ClipSource("more", sound=sources(tmp_path / "one")[0].sound)
    with pytest.raises(CacheError, match="make room"):
        build_cache(cache, [*sources(tmp_path / "one"), more], SETTINGS, workers=1)
    assert left(tmp_path) == ["cache", "one"]


def test_an_export(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = open_cache(cache).read(IDS[0])
    header = wave.Wave_write.writeframes

    def half(self: Any, samples: bytes) -> None:
        header(self, samples[: len(samples) // 2])
        full()

    monkeypatch.setattr(wave.Wave_write, "writeframes", half)
    with pytest.raises(OSError, match="No space left"):
        export_clip(clip, tmp_path / "out", 1_100)
    assert left(tmp_path / "out") == []


def test_an_exported_picture(media: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = media(seconds=1.0, sound="").write(tmp_path / "film.mp4")
    build_cache(tmp_path / "films", [ClipSource("film", film)], SETTINGS, workers=1)
    save = Image.Image.save
    clip = open_cache(tmp_path / "films").read("film")
    first, _ = export_clip(clip, tmp_path / "out", 1_100)
    with Image.open(first) as image:
        assert image.size == (7, 5)
    monkeypatch.setattr(Image.Image, "save", lambda *given, **options: (save(*given, **options), full()))
    with pytest.raises(OSError, match="No space left"):
        export_clip(clip, tmp_path / "again", 1_100)
    assert left(tmp_path / "again") == []


def test_a_built_in_clip(tmp_path: Path) -> None:
    def write() -> None:
        with whole_file(tmp_path / "film.mp4") as part:
            part.write_bytes(b"half")
            full()

    with pytest.raises(OSError, match="No space left"):
        write()
    assert left(tmp_path) == []
