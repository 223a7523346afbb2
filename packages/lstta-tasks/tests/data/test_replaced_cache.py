"""A cache that is replaced while it is read: the same clips and perhaps more are read on, others are refused."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from small_sounds import IDS, SETTINGS, build, data, samples, sources
from torch.utils.data import DataLoader

from lstta_tasks.data.batch import SampleDataset
from lstta_tasks.data.build_cache import build_cache, prune_cache
from lstta_tasks.data.cache import CacheError, CacheReader, open_cache


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return data(tmp_path / "one")


@pytest.fixture
def cache(one: Path, tmp_path: Path) -> Path:
    return build(tmp_path / "cache", one)


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A cache of other clips with the same ids."""
    return build(tmp_path / "other cache", data(tmp_path / "other", first=9_000))


def put_in_place(cache: Path, other: Path) -> None:
    Path(shutil.copy(other / "data.mdb", cache / "draft")).replace(cache / "data.mdb")


def rebuild(cache: Path, other: Path) -> None:
    """What a build of the other data set does."""
    build_cache(cache, sources(other.parent / "other"), SETTINGS, workers=1)


def write_over(cache: Path, other: Path) -> None:
    shutil.copyfile(other / "data.mdb", cache / "data.mdb")


def write_over_with_more(cache: Path, other: Path) -> None:
    more = [type(s)(f"{n}/{s.id}", sound=s.sound) for s in sources(other.parent / "other") for n in range(30)]
    build_cache(other, more, SETTINGS, workers=1)
    assert (other / "data.mdb").stat().st_size > (cache / "data.mdb").stat().st_size
    write_over(cache, other)


def take_away(cache: Path, other: Path) -> None:
    shutil.rmtree(cache)


@pytest.mark.parametrize("replace", [put_in_place, rebuild, write_over, write_over_with_more, take_away])
def test_a_reader_gives_no_clip_of_another_cache(
    replace: Callable[[Path, Path], None], cache: Path, other: Path
) -> None:
    reader = CacheReader(cache)
    before = reader.read(IDS[0])
    kept = pickle.dumps(reader)
    replace(cache, other)
    for one in (reader, pickle.loads(kept), reader):
        with pytest.raises(CacheError, match=r"cache was replaced while it was read: .*--resume"):
            one.read(IDS[0])
    assert before.sound.max() == 999


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_whose_workers_start_later_says_so(workers: int, one: Path, cache: Path, other: Path) -> None:
    dataset = SampleDataset(samples(one), open_cache(cache))
    loader = DataLoader(dataset, batch_size=None, num_workers=workers, collate_fn=lambda item: item[1].sound.max())
    assert list(loader) == [999, 1999, 2999]
    put_in_place(cache, other)
    with pytest.raises(CacheError, match="was replaced while it was read"):
        list(loader)


def test_a_cache_that_has_grown_is_read_on(one: Path, cache: Path, tmp_path: Path) -> None:
    reader = CacheReader(cache)
    kept, wanted = pickle.dumps(reader), reader.read(IDS[0])
    more = data(tmp_path / "more", first=4_000)
    for number in range(2):
        added = [*sources(one), *(type(s)(f"{number}/{s.id}", sound=s.sound) for s in sources(more))]
        assert build_cache(cache, added, SETTINGS, workers=1).built == 3
        for again in (reader, pickle.loads(kept)):
            np.testing.assert_array_equal(again.read(IDS[0]).sound, wanted.sound)
    assert "1/clips/a.wav" in reader


def test_a_cache_that_lost_clips_is_not(cache: Path) -> None:
    reader = CacheReader(cache)
    prune_cache(cache, IDS[:2])
    with pytest.raises(CacheError, match="it has other clips now"):
        reader.read(IDS[0])


def test_a_copy_of_the_same_is_read_on(cache: Path) -> None:
    reader = CacheReader(cache)
    put_in_place(cache, cache)
    os.utime(cache / "data.mdb", (5, 5))
    assert reader.read(IDS[0]).sound.max() == 999
