"""Verifying finds damage anywhere in the file, and outlives it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lstta_tasks.data.build_cache import build_cache
from lstta_tasks.data.cache import CacheError, CacheReader
from lstta_tasks.data.cache_layout import dump_json
from lstta_tasks.data.clip import ClipSource, Preprocessing
from lstta_tasks.data.verify_cache import verify_cache

SETTINGS = Preprocessing(segments=2, frames_per_segment=3, frame_size=(31, 37), sample_rate=1_100, sound_seconds=0.5)
_PAGE = 4096
_LEAF = 2


@pytest.fixture
def cache(sources: Callable[[int], list[ClipSource]], tmp_path: Path) -> Path:
    build_cache(tmp_path / "c", sources(40), SETTINGS, workers=2)
    return tmp_path / "c"


def test_a_whole_cache_and_one_with_a_flipped_bit(cache: Path) -> None:
    assert verify_cache(cache) == (40, {})
    data = bytearray((cache / "data.mdb").read_bytes())
    data[data.index(CacheReader(cache).read_record("clip7")) + 5_000] ^= 16
    (cache / "data.mdb").write_bytes(data)
    assert verify_cache(cache) == (40, {"clip7": "its checksum does not fit its content"})


def test_pages_that_point_out_of_the_file_are_damage_and_not_a_crash(cache: Path) -> None:
    """Bytes 4 to 6 of a node in a leaf's page say where its clip lies, if a flag says that it lies elsewhere."""
    data = bytearray((cache / "data.mdb").read_bytes())
    leaves = [at for at in range(2 * _PAGE, len(data), _PAGE) if data[at + 10 : at + 12] == bytes([_LEAF, 0])]
    hit = 0
    for leaf in leaves:
        for node in (at for at in range(leaf + 16, leaf + _PAGE - 16) if data[at : at + 5] == b"clip:"):
            value = node + data[node - 2]  # after the key, whose length stands before it
            data[value + 2] ^= 0x80  # the page number: 8 million pages further on
            hit += 1
    assert hit
    (cache / "data.mdb").unlink()
    (cache / "data.mdb").write_bytes(data)
    _, damaged = verify_cache(cache)
    assert damaged.keys() == {str(cache)}
    assert "build it anew" in damaged[str(cache)]


def test_a_meta_record_that_changed_is_found(cache: Path) -> None:
    data, meta = (cache / "data.mdb").read_bytes(), dump_json(CacheReader(cache).meta)
    assert meta in data
    other_rate, other_fit = meta.replace(b"1100", b"1101"), meta.replace(b"crop", b"crup")
    (cache / "data.mdb").write_bytes(data.replace(meta, other_rate))
    assert verify_cache(cache)[1] == {str(cache): "its meta record is not what was written"}
    (cache / "data.mdb").write_bytes(data.replace(meta, other_fit))
    with pytest.raises(CacheError, match=r"is damaged: fit must be one of .* build it anew"):
        verify_cache(cache)


def test_what_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CacheError, match="there is no cache at"):
        verify_cache(tmp_path / "nowhere")
