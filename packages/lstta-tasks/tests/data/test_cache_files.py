"""The clip that was meant: a cache knows the files behind its clips, and gives no clip of another file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import lmdb
import pytest
from small_sounds import IDS, SETTINGS, build, data, samples, sources, write

from lstta_tasks.data import cache_files, cache_layout
from lstta_tasks.data.batch import SampleDataset
from lstta_tasks.data.build_cache import build_cache, prune_cache
from lstta_tasks.data.cache import CacheError, CacheReader, open_cache
from lstta_tasks.data.cache_packing import pack
from lstta_tasks.data.cache_writer import CacheWriter
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.data.decode import decode_clip
from lstta_tasks.task import Sample


def loudest(dataset: SampleDataset) -> list[int]:
    return [int(clip.sound.max()) for _, clip in (dataset[place] for place in range(len(dataset)))]


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return data(tmp_path / "one")


@pytest.fixture
def cache(one: Path, tmp_path: Path) -> Path:
    return build(tmp_path / "cache", one)


class TestReading:
    def test_another_data_set_that_writes_its_paths_alike(self, one: Path, cache: Path, tmp_path: Path) -> None:
        other = data(tmp_path / "other", first=9_000)
        with pytest.raises(CacheError, match="cache: 3 of the clips in the cache are of other files") as raised:
            SampleDataset(samples(other), open_cache(cache))
        size = (one / IDS[0]).stat().st_size
        said = f"{IDS[0]}: the cache has {one / IDS[0]} ({size:,} bytes), the annotations name {other / IDS[0]} ("
        assert said in str(raised.value)
        assert "clips.cache" in str(raised.value)
        assert loudest(SampleDataset(samples(one), open_cache(cache))) == [999, 1999, 2999]

    def test_a_file_that_was_written_anew(self, one: Path, cache: Path) -> None:
        write(one / IDS[1], 7_000)
        with pytest.raises(CacheError, match=r"1 of the clips .*\n.*b\.wav \(.* bytes\), with other content"):
            SampleDataset(samples(one), open_cache(cache))

    def test_another_span_of_the_file(self, one: Path, cache: Path) -> None:
        with pytest.raises(CacheError, match=r"has 0 s to the end of .*a\.wav .* name 0 s to 0\.5 s of .*a\.wav"):
            SampleDataset(samples(one, end=0.5), open_cache(cache))

    def test_sound_from_another_file(self, one: Path, cache: Path) -> None:
        wanted = Sample(id="a", source=ClipSource(IDS[0], video=one / IDS[0]), text=None, target=0)
        with pytest.raises(CacheError, match="of other files"):
            SampleDataset([wanted], open_cache(cache))

    def test_the_same_files_at_another_time_and_place(
        self, one: Path, cache: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        os.utime(one / IDS[0], (1, 1))
        assert len(SampleDataset(samples(one), open_cache(cache))) == 3
        assert "the files of 1 clips have another path or time" in caplog.text
        moved = one.rename(tmp_path / "moved")
        assert loudest(SampleDataset(samples(moved), open_cache(cache))) == [999, 1999, 2999]
        assert "the files of 3 clips have another path or time" in caplog.text

    def test_files_that_are_not_there(self, one: Path, cache: Path, tmp_path: Path) -> None:
        shutil.rmtree(one)
        for root in (one, tmp_path / "cluster"):
            assert loudest(SampleDataset(samples(root), open_cache(cache))) == [999, 1999, 2999]
            with pytest.raises(CacheError, match=r"has 0 s to the end of .*one/clips/a\.wav"):
                SampleDataset(samples(root, end=0.5), open_cache(cache))

    def test_each_clip_is_looked_at_once(self, one: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        looked: list[str] = []
        seen = cache_files.seen
        monkeypatch.setattr(cache_files, "seen", lambda source: (looked.append(source.id), seen(source))[1])
        monkeypatch.setattr(cache_files, "digest_of", lambda path: pytest.fail("no file has to be read"))
        reader = open_cache(cache)
        for _ in range(2):
            dataset = SampleDataset(samples(one) * 2, reader)
            loudest(dataset)
        assert looked == list(IDS)

    def test_two_files_that_have_one_id(self, one: Path, cache: Path, tmp_path: Path) -> None:
        other = data(tmp_path / "other", first=9_000)
        with pytest.raises(CacheError, match="1 of the clips"):
            SampleDataset([*samples(one), samples(other)[0]], open_cache(cache))

    def test_shards(self, one: Path, tmp_path: Path) -> None:
        for index in range(2):
            build_cache(tmp_path / "c", sources(one), SETTINGS, workers=1, shard=(index, 2))
        assert len(SampleDataset(samples(one), open_cache(tmp_path / "c"))) == 3
        other = data(tmp_path / "other", first=9_000)
        with pytest.raises(CacheError, match="3 of the clips in the cache are of other files"):
            SampleDataset(samples(other), open_cache(tmp_path / "c"))

    def test_a_clip_that_was_written_without_its_files(self, one: Path, tmp_path: Path) -> None:
        settings = cache_layout.settings(SETTINGS, "raw")
        with CacheWriter(tmp_path / "c.partial", settings) as writer:
            for source in sources(one):
                writer.add(source.id, pack(source, decode_clip(source, SETTINGS), "raw"))
            writer.publish(tmp_path / "c")
        assert len(SampleDataset(samples(one), open_cache(tmp_path / "c"))) == 3
        other = data(tmp_path / "other", first=9_000)
        with pytest.raises(CacheError, match=r"the cache has a file \(2,244 bytes\), the annotations name .*other"):
            SampleDataset(samples(other), open_cache(tmp_path / "c"))


class TestBuilding:
    def test_a_file_of_the_same_size_is_decoded_again_and_told(self, one: Path, cache: Path, tmp_path: Path) -> None:
        other = data(tmp_path / "other", first=9_000)
        report = build_cache(cache, sources(other), SETTINGS, workers=1)
        assert (report.built, report.reused) == (3, 0)
        assert f"the cache has {one / IDS[0]} (" in report.replaced[IDS[0]]
        assert loudest(SampleDataset(samples(other), open_cache(cache))) == [8_999, 9_999, 10_999]
        with pytest.raises(CacheError, match="of other files"):
            SampleDataset(samples(one), open_cache(cache))

    def test_files_that_moved_are_noted_and_not_decoded(
        self, one: Path, cache: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        digest = open_cache(cache).digest()
        moved = one.rename(tmp_path / "moved")
        report = build_cache(cache, sources(moved), SETTINGS, workers=1)
        assert (report.built, report.reused, report.replaced) == (0, 3, {})
        assert open_cache(cache).digest() == digest
        SampleDataset(samples(moved), open_cache(cache))
        assert caplog.text == ""
        before = (cache / "data.mdb").stat()
        shutil.rmtree(moved)
        assert build_cache(cache, sources(moved), SETTINGS, workers=1).reused == 3
        assert (cache / "data.mdb").stat().st_ino == before.st_ino

    def test_pruning_keeps_what_is_known(self, one: Path, cache: Path, caplog: pytest.LogCaptureFixture) -> None:
        prune_cache(cache, IDS[:2])
        assert loudest(SampleDataset(samples(one), open_cache(cache))) == [999, 1999]
        assert caplog.text == ""

    def test_a_cache_of_before_is_refused_with_the_command(self, one: Path, cache: Path) -> None:
        with lmdb.open(str(cache), map_size=1 << 24, lock=False) as environment, environment.begin(write=True) as txn:
            meta = cache_layout.load_json(txn.get(cache_layout.META_KEY) or b"")
            txn.put(cache_layout.META_KEY, cache_layout.dump_json({**meta, "schema": 1}))
        with pytest.raises(CacheError, match=r"schema 1, .* reads 2: remove it and build it anew \(lstta cache build"):
            CacheReader(cache)
