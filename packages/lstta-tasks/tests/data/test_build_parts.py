"""Parts of a build: shards of many machines, and clips that are left out by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lstta_tasks.data.build_cache import build_cache, prune_cache
from lstta_tasks.data.cache import CacheError, CacheReader, open_cache
from lstta_tasks.data.cache_layout import partial_folder
from lstta_tasks.data.cache_shards import CacheSet, shard_folder, shard_of
from lstta_tasks.data.clip import ClipSource, Preprocessing
from lstta_tasks.data.skip_list import read_skip_list
from lstta_tasks.data.verify_cache import damage_in

SETTINGS = Preprocessing(segments=2, frames_per_segment=3, frame_size=(5, 7), sample_rate=1_100, sound_seconds=0.5)
Sources = Callable[[int], list[ClipSource]]


def test_shards_together_are_the_whole(sources: Sources, tmp_path: Path) -> None:
    build_cache(tmp_path / "whole", sources(12), SETTINGS, workers=1)
    for index in range(3):
        with pytest.raises(CacheError, match=r"lacks|there is no cache"):
            open_cache(tmp_path / "parts")
        build_cache(tmp_path / "parts", sources(12), SETTINGS, workers=1, shard=(index, 3))
    together, whole = open_cache(tmp_path / "parts", SETTINGS), CacheReader(tmp_path / "whole")
    assert isinstance(together, CacheSet)
    assert together.ids() == sorted(whole.ids())
    assert together.meta == whole.meta
    assert all(0 < len(reader) < 12 for reader in together.readers)
    np.testing.assert_array_equal(together.read("clip7").frames, whole.read("clip7").frames)
    with pytest.raises(CacheError, match="open_cache"):
        CacheReader(tmp_path / "parts")
    with pytest.raises(KeyError, match="none of the caches"):
        together.read("clip77")


@pytest.mark.parametrize("shard", [(3, 3), (-1, 2), (0, 0)])
def test_a_shard_out_of_range_is_an_error(shard: tuple[int, int], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the first number must be from 0"):
        build_cache(tmp_path / "c", [], SETTINGS, shard=shard)


def test_what_could_not_be_read_together_is_not_built(sources: Sources, tmp_path: Path) -> None:
    build_cache(tmp_path / "parts", sources(4), SETTINGS, workers=1, shard=(0, 2))
    shard_folder(tmp_path / "parts", 0, 2).rename(partial_folder(shard_folder(tmp_path / "parts", 0, 2)))
    with pytest.raises(CacheError, match="is built in 2 shards: pass one of them, or another path"):
        build_cache(tmp_path / "parts", sources(4), SETTINGS)
    with pytest.raises(CacheError, match="is built in 2 shards, not in 3: pass another path"):
        build_cache(tmp_path / "parts", sources(4), SETTINGS, shard=(1, 3))
    with pytest.raises(CacheError, match="lacks shard-0-of-2, shard-1-of-2: build the missing shards first"):
        open_cache(tmp_path / "parts")
    build_cache(tmp_path / "whole", sources(4), SETTINGS, workers=1)
    with pytest.raises(CacheError, match="in one piece, its shards would never be read"):
        build_cache(tmp_path / "whole", sources(4), SETTINGS, shard=(0, 2))


def test_prune_goes_through_all_shards(sources: Sources, tmp_path: Path) -> None:
    for index in range(2):
        build_cache(tmp_path / "parts", sources(9), SETTINGS, workers=1, shard=(index, 2))
    assert prune_cache(tmp_path / "parts", [f"clip{i}" for i in (1, 4, 7, 99)]) == 6
    assert open_cache(tmp_path / "parts").ids() == ["clip1", "clip4", "clip7"]
    assert damage_in(open_cache(tmp_path / "parts")) == {}


def test_clips_to_skip_are_counted_and_not_looked_at(sources: Sources, tmp_path: Path) -> None:
    gone = ClipSource("gone", tmp_path / "gone.mp4")
    report = build_cache(tmp_path / "c", [*sources(5), gone], SETTINGS, workers=1, skip={"clip1", "gone", "unknown"})
    assert (report.total, report.built, report.reused, report.skipped, report.failed) == (6, 4, 0, 2, {})
    reader = CacheReader(tmp_path / "c")
    assert reader.ids() == ["clip0", "clip2", "clip3", "clip4"]
    assert reader.failures == {}
    again = build_cache(tmp_path / "c", sources(5), SETTINGS, workers=1, skip={"clip2"})
    assert (again.built, again.reused, again.skipped) == (1, 3, 1)
    assert "clip2" in CacheReader(tmp_path / "c")  # what a finished cache has stays in it
    parts = [build_cache(tmp_path / "parts", sources(5), SETTINGS, shard=(i, 2), skip={"clip1"}) for i in range(2)]
    assert sum(part.skipped for part in parts) == 1
    assert sum(part.built for part in parts) == 4


def test_a_skip_list_is_a_text_file(tmp_path: Path) -> None:
    (tmp_path / "skip.txt").write_bytes(
        "\ufeff# found by hand\r\none\r\n\n  two words \n#three\n漢字#4\none\x85".encode()
    )
    assert read_skip_list(tmp_path / "skip.txt") == {"one", "two words", "漢字#4"}
    (tmp_path / "skip.txt").write_bytes(b"\xff\xfeo\0n\0e\0")
    with pytest.raises(ValueError, match=r"skip\.txt: a list of clip ids as UTF-8 text is wanted, one a line"):
        read_skip_list(tmp_path / "skip.txt")
    with pytest.raises(FileNotFoundError, match=r"none\.txt"):
        read_skip_list(tmp_path / "none.txt")


def test_a_clip_is_found_in_its_shard_or_in_another(sources: Sources, tmp_path: Path) -> None:
    """As what all shards of a prefix have, which is in none by its id."""
    for index in range(3):
        build_cache(tmp_path / "parts", sources(9), SETTINGS, workers=1, shard=(index, 3))
    cache = open_cache(tmp_path / "parts")
    assert isinstance(cache, CacheSet)
    for number, reader in enumerate(cache.readers):
        assert all(shard_of(clip_id, 3) == number for clip_id in reader.ids())
    turned = CacheSet([cache.readers[i].path for i in (1, 2, 0)], SETTINGS, shards=True)
    assert turned.ids() == cache.ids()
    for clip_id in cache.ids():
        assert clip_id in turned
        assert turned.read_record(clip_id) == cache.read_record(clip_id)
    assert 3 not in turned
