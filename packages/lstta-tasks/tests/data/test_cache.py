"""Readers give back what was decoded, in any process, and refuse what they cannot vouch for."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
import pytest
from torch.utils.data import DataLoader, Dataset

from lstta_tasks.data.build_cache import build_cache
from lstta_tasks.data.cache import CacheError, CacheReader, open_cache
from lstta_tasks.data.cache_layout import META_KEY, SCHEMA, dump_json, load_json
from lstta_tasks.data.cache_shards import CacheSet
from lstta_tasks.data.clip import Clip, ClipSource, Preprocessing
from lstta_tasks.data.decode import decode_clip
from lstta_tasks.data.verify_cache import damage_in

SETTINGS = Preprocessing(segments=3, frames_per_segment=2, frame_size=(11, 13), sample_rate=1_700, sound_seconds=0.5)
LONG_ID = "a clip with a name that LMDB has no room for " * 20
IDS = ["first", "__meta__", "fail:x", "ä ö / 漢字", LONG_ID]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def sources(folder: Path, media: Any) -> list[ClipSource]:
    film, silent = folder / "film.mp4", folder / "silent.mp4"
    if not film.exists():
        media(seconds=4.0, fps=10, rate=8_000, clicks=np.arange(0.1, 4, 0.3)).write(film)
        media(seconds=1.0, sound="").write(silent)
        media(seconds=1.0).write(folder / "sound.wav")
    parts = [ClipSource(clip_id, film, start=i / 2, end=i / 2 + 1) for i, clip_id in enumerate(IDS)]
    return [*parts, ClipSource("silent", silent), ClipSource("blind", sound=folder / "sound.wav")]


@pytest.fixture
def built(folder: Path, sources: list[ClipSource]) -> Path:
    """A raw cache that tests must not change."""
    if not (folder / "raw").exists():
        build_cache(folder / "raw", [*sources, ClipSource("gone", folder / "gone.mp4")], SETTINGS, workers=1)
    return folder / "raw"


@pytest.fixture
def copy(built: Path, tmp_path: Path) -> Path:
    """A cache of the test's own."""
    return shutil.copytree(built, tmp_path / "copy")


def assert_equal(one: Clip, other: Clip) -> None:
    for name in ("frames", "frame_times", "sound", "sound_length"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert getattr(one, name).dtype == getattr(other, name).dtype
    assert (one.has_video, one.has_sound, one.duration) == (other.has_video, other.has_sound, other.duration)


def test_raw_gives_back_every_bit(built: Path, sources: list[ClipSource]) -> None:
    reader = CacheReader(built, SETTINGS)
    assert len(reader) == len(sources)
    assert set(reader.ids()) == {source.id for source in sources}
    for source in sources:
        assert source.id in reader
        assert_equal(reader.read(source.id), decode_clip(source, SETTINGS))


def test_jpeg_gives_back_nearly_the_picture_and_all_the_rest(folder: Path, sources: list[ClipSource]) -> None:
    build_cache(folder / "jpeg", sources, SETTINGS, codec="jpeg", workers=1)
    reader = CacheReader(folder / "jpeg")
    for source in sources:
        clip, exact = reader.read(source.id), decode_clip(source, SETTINGS)
        np.testing.assert_allclose(clip.frames.astype(int), exact.frames.astype(int), atol=6)
        np.testing.assert_array_equal(clip.sound, exact.sound)
        np.testing.assert_array_equal(clip.frame_times, exact.frame_times)
        assert (clip.has_video, clip.has_sound) == (exact.has_video, exact.has_sound)


def test_what_a_clip_does_not_have_takes_no_room(built: Path) -> None:
    reader = CacheReader(built)
    assert reader.header("silent")["arrays"].keys() == {"frame_times", "sound_length", "frames"}
    assert reader.header("blind")["arrays"].keys() == {"frame_times", "sound_length", "sound"}


def test_a_clip_is_the_callers_own(built: Path) -> None:
    reader = CacheReader(built)
    clip = reader.read("first")
    before = clip.frames.copy()
    del reader
    gc.collect()
    np.testing.assert_array_equal(clip.frames, before)
    clip.frames[:] = 7
    np.testing.assert_array_equal(CacheReader(built).read("first").frames, before)


def test_a_clip_that_is_not_there_is_named_with_the_cache(built: Path) -> None:
    reader = CacheReader(built)
    assert "nowhere" not in reader
    assert 3 not in reader
    with pytest.raises(KeyError, match=r"clip 'nowhere' is not in the cache .*raw"):
        reader.read("nowhere")
    with pytest.raises(KeyError, match=r"could not be decoded: .*gone\.mp4: there is no such file"):
        reader.read("gone")
    assert reader.failures.keys() == {"gone"}


def test_the_same_path_opens_any_number_of_times(built: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(built)
    readers = [CacheReader(built), CacheReader(str(built)), CacheReader(tmp_path / "link")]
    readers += [pickle.loads(pickle.dumps(reader)) for reader in readers]
    assert len({reader.read("first").frames.tobytes() for reader in readers}) == 1


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_readers_work_in_children_however_they_are_started(method: str, built: Path) -> None:
    reader = CacheReader(built)
    own = reader.read("first")
    with multiprocessing.get_context(method).Pool(2) as pool:
        clips = pool.map(reader.read, ["first"] * 3 + reader.ids())
    assert_equal(clips[0], own)
    assert_equal(reader.read("first"), own)


def test_a_forked_child_reads_through_what_its_parent_opened(built: Path) -> None:
    reader, other = CacheReader(built), CacheReader(built)
    kept = reader.read("first")
    child = os.fork()
    if child == 0:
        same = (reader.read("first").frames == kept.frames).all() and (other.read("first").sound == kept.sound).all()
        os._exit(0 if same else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert_equal(reader.read("first"), kept)


class Lookup(Dataset[Clip]):
    """The least a data set can be."""

    def __init__(self, reader: CacheReader) -> None:
        self.reader, self.ids = reader, reader.ids()

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Clip:
        return self.reader.read(self.ids[index])


@pytest.mark.parametrize(
    ("method", "persistent"),
    [("fork", False), ("fork", True), pytest.param("spawn", True, marks=pytest.mark.slow)],
)
def test_a_loader_with_workers_reads_it_epoch_after_epoch(method: str, persistent: bool, built: Path) -> None:
    data = Lookup(CacheReader(built))
    expected = [data[index] for index in range(len(data))]
    loader = DataLoader(
        data, batch_size=None, num_workers=2, multiprocessing_context=method, persistent_workers=persistent
    )
    for _ in range(2):
        for clip, own in zip(loader, expected, strict=True):
            assert_equal(clip, own)


class Private(Lookup):
    """Gives how much memory the worker has for itself alone, in kB, instead of the clip it reads."""

    def __init__(self, reader: CacheReader, epochs: int) -> None:
        super().__init__(reader)
        self.ids = self.ids * epochs

    def __getitem__(self, index: int) -> Any:
        super().__getitem__(index)
        lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


@pytest.mark.slow
def test_memory_stays_flat_over_three_epochs_with_four_workers(sources: list[ClipSource], tmp_path: Path) -> None:
    """A cache of 200 MB, so that keeping what was read would show."""
    big = Preprocessing(**{**vars(SETTINGS), "frame_size": (270, 310), "segments": 2})
    many = [ClipSource(f"clip{i}", sources[0].video, start=i / 80, end=i / 80 + 1) for i in range(200)]
    build_cache(tmp_path / "big", many, big, workers=2)
    loader = DataLoader(Private(CacheReader(tmp_path / "big"), 3), batch_size=None, num_workers=4)
    used = np.array(list(loader)).reshape(3, -1)
    assert used[2].max() < used[0].max() + 20_000, used.max(1)


def edit_meta(path: Path, **changes: Any) -> None:
    with lmdb.open(str(path), map_size=1 << 24, lock=False) as environment, environment.begin(write=True) as txn:
        found = txn.get(META_KEY)
        assert found is not None
        txn.put(META_KEY, dump_json({**load_json(found), **changes}))


def test_other_preprocessing_is_refused_field_by_field(built: Path) -> None:
    wanted = Preprocessing(**{**vars(SETTINGS), "sample_rate": 16_000, "frame_size": (224, 224)})
    with pytest.raises(CacheError) as raised:
        CacheReader(built, wanted)
    message = str(raised.value)
    assert "frame_size: (224, 224) here, (11, 13) there" in message
    assert "sample_rate: 16000 here, 1700 there" in message
    assert "segments" not in message
    assert "another path" in message


def test_a_newer_schema_is_refused(copy: Path) -> None:
    edit_meta(copy, schema=SCHEMA + 1)
    with pytest.raises(CacheError, match=rf"schema {SCHEMA + 1}, .* reads {SCHEMA}: upgrade lstta-tasks"):
        CacheReader(copy)
    with pytest.raises(CacheError, match="upgrade lstta-tasks"):
        build_cache(copy, [], SETTINGS)


def test_what_is_no_finished_cache_is_refused(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(CacheError, match="there is no cache at"):
        open_cache(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
    copy.rename(tmp_path / "begun.partial")
    with pytest.raises(CacheError, match="not finished"):
        CacheReader(tmp_path / "begun")
    (tmp_path / "noise").mkdir()
    (tmp_path / "noise/data.mdb").write_bytes(np.random.default_rng(0).bytes(20_000))
    with pytest.raises(CacheError, match="cannot be read as a cache"):
        CacheReader(tmp_path / "noise")
    with (
        lmdb.open(str(tmp_path / "foreign"), lock=False) as environment,
        environment.begin(write=True) as txn,
    ):
        txn.put(b"key", b"value")
    with pytest.raises(CacheError, match="unfinished"):
        CacheReader(tmp_path / "foreign")


def test_a_file_that_was_cut_off_is_refused(copy: Path) -> None:
    data = copy / "data.mdb"
    whole = data.read_bytes()
    data.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CacheError, match=rf"cut off: {len(whole) // 2} of \d+ bytes"):
        CacheReader(copy)


def test_verify_finds_a_flipped_bit_in_any_clip(copy: Path, built: Path) -> None:
    whole = (copy / "data.mdb").read_bytes()
    reader = CacheReader(built)
    assert damage_in(reader) == {}
    for clip_id in ("first", "blind", LONG_ID):
        record = reader.read_record(clip_id)
        for place in (9, 40, len(record) // 2, len(record) - 1):
            data = bytearray(whole)
            data[data.index(record) + place] ^= 4
            (copy / "data.mdb").unlink()  # a new file, since readers of the old one may still be open
            (copy / "data.mdb").write_bytes(data)
            damaged = damage_in(CacheReader(copy))
            assert len(damaged) == 1
            assert clip_id == LONG_ID or damaged.keys() == {clip_id}


def test_any_flipped_bit_is_found_or_does_no_harm(copy: Path, built: Path) -> None:
    whole, random = (copy / "data.mdb").read_bytes(), np.random.default_rng(3)
    reference = CacheReader(built)
    wanted = {clip_id: reference.read(clip_id) for clip_id in reference.ids()}

    def harmless() -> bool:
        try:
            reader = CacheReader(copy)
            if damage_in(reader):
                return False
        except CacheError:
            return False
        for clip_id, clip in wanted.items():
            assert_equal(reader.read(clip_id), clip)
        return True

    codes = []
    for _ in range(60):
        data = bytearray(whole)
        data[int(random.integers(len(data)))] ^= 1 << int(random.integers(8))
        (copy / "data.mdb").unlink()
        (copy / "data.mdb").write_bytes(data)
        child = os.fork()  # LMDB trusts its pages: one that points astray ends the process, as it ends verify_cache's
        if child == 0:
            code = 2
            with suppress(BaseException):
                code = 0 if harmless() else 1
            os._exit(code)
        codes.append(os.waitpid(child, 0)[1])
    codes = [os.waitstatus_to_exitcode(code) for code in codes]
    assert 2 not in codes
    assert 1 in codes


def test_a_set_reads_several_caches_as_one(built: Path, media: Any, tmp_path: Path) -> None:
    path = media(seconds=1.0).write(tmp_path / "v.mp4")
    build_cache(tmp_path / "more", [ClipSource("more", path), ClipSource("gone", path)], SETTINGS, workers=1)
    both = CacheSet([built, tmp_path / "more"], SETTINGS)
    assert len(both) == len(CacheReader(built)) + 2
    assert both.failures == {}
    assert damage_in(both) == {}
    for clip_id in ("first", "more", "gone"):
        assert clip_id in pickle.loads(pickle.dumps(both))
        assert both.read(clip_id).has_video
    other = Preprocessing(**{**vars(SETTINGS), "fit": "pad"})
    build_cache(tmp_path / "other", [], other)
    with pytest.raises(CacheError, match="fit: 'crop' here, 'pad' there"):
        CacheSet([built, tmp_path / "other"])


@pytest.fixture(autouse=True)
def _no_cache_stays_open() -> Iterator[None]:
    yield
    gc.collect()
    names = [path.readlink().name for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    assert "data.mdb" not in names
