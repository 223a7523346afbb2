"""Builds lose nothing: killed, crowded out, out of room, or disagreed with, they end clearly and go on later."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import lmdb
import pytest

from lstta_tasks.data import cache_writer
from lstta_tasks.data.build_cache import build_cache, prune_cache
from lstta_tasks.data.cache import CacheError, CacheReader
from lstta_tasks.data.clip import ClipSource, Preprocessing
from lstta_tasks.data.resumable_build import build_lock
from lstta_tasks.data.verify_cache import damage_in

SETTINGS = Preprocessing(segments=2, frames_per_segment=3, frame_size=(5, 7), sample_rate=1_100, sound_seconds=0.5)
Sources = Callable[[int], list[ClipSource]]


def files(folder: Path) -> set[str]:
    """All but those that carried a lock."""
    every = {path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"}
    return {str(path.relative_to(folder)) for path in every}


def test_a_build_reports_and_leaves_one_file(sources: Sources, tmp_path: Path) -> None:
    report = build_cache(tmp_path / "c", sources(5) * 2, SETTINGS, workers=2)
    assert (report.total, report.built, report.reused, report.failed) == (5, 5, 0, {})
    assert files(tmp_path) == {"c/data.mdb"}
    assert CacheReader(tmp_path / "c").meta["count"] == 5


def test_the_same_clips_give_the_same_digest_however_they_are_built(sources: Sources, tmp_path: Path) -> None:
    build_cache(tmp_path / "a", sources(6), SETTINGS, workers=1)
    build_cache(tmp_path / "b", reversed(sources(6)), SETTINGS, workers=3)
    build_cache(tmp_path / "c", sources(2), SETTINGS, workers=1)
    build_cache(tmp_path / "c", sources(6), SETTINGS, workers=1)
    build_cache(tmp_path / "d", sources(5), SETTINGS, workers=1)
    digests = [CacheReader(tmp_path / name).digest() for name in "abcd"]
    assert digests[0] == digests[1] == digests[2] != digests[3]


def test_a_second_build_decodes_only_what_is_new(sources: Sources, tmp_path: Path) -> None:
    build_cache(tmp_path / "c", sources(3), SETTINGS, workers=1)
    before = (tmp_path / "c/data.mdb").stat()
    again = build_cache(tmp_path / "c", sources(3), SETTINGS, workers=1)
    assert (again.built, again.reused) == (0, 3)
    assert (tmp_path / "c/data.mdb").stat().st_mtime_ns == before.st_mtime_ns
    more = build_cache(tmp_path / "c", sources(5)[2:], SETTINGS, workers=1)
    assert (more.total, more.built, more.reused) == (3, 2, 1)
    assert CacheReader(tmp_path / "c").ids() == [f"clip{i}" for i in range(5)]
    assert files(tmp_path) == {"c/data.mdb"}


def test_a_clip_whose_span_or_file_changed_is_decoded_again(media: Any, tmp_path: Path) -> None:
    path = media(seconds=2.0, fps=5, clicks=[0.2]).write(tmp_path / "v.mp4")
    source = ClipSource("a", path, start=0.0, end=1.0)
    build_cache(tmp_path / "c", [source], SETTINGS, workers=1)
    moved = ClipSource("a", path, start=0.0, end=1.5)
    assert build_cache(tmp_path / "c", [moved], SETTINGS, workers=1).built == 1
    assert CacheReader(tmp_path / "c").read("a").duration == 1.5
    media(seconds=3.0, fps=5, sound="").write(path)
    assert build_cache(tmp_path / "c", [moved], SETTINGS, workers=1).built == 1
    assert not CacheReader(tmp_path / "c").read("a").has_sound
    path.unlink()
    assert build_cache(tmp_path / "c", [moved], SETTINGS, workers=1).reused == 1


def test_failures_are_tried_again(media: Any, sources: Sources, tmp_path: Path) -> None:
    later = ClipSource("later", tmp_path / "later.mp4")
    report = build_cache(tmp_path / "c", [*sources(2), later], SETTINGS, workers=1)
    assert report.failed == {"later": f"{tmp_path}/later.mp4: there is no such file"}
    unchanged = (tmp_path / "c/data.mdb").stat().st_mtime_ns
    assert build_cache(tmp_path / "c", [*sources(2), later], SETTINGS, workers=1).failed == report.failed
    assert (tmp_path / "c/data.mdb").stat().st_mtime_ns == unchanged
    media(seconds=1.0).write(later.video)
    assert build_cache(tmp_path / "c", [*sources(2), later], SETTINGS, workers=1).built == 1
    assert CacheReader(tmp_path / "c").failures == {}


def test_two_sources_with_one_id_are_an_error(sources: Sources, tmp_path: Path) -> None:
    other = ClipSource("clip1", tmp_path / "other.mp4")
    with pytest.raises(ValueError, match="two clips have the id 'clip1'"):
        build_cache(tmp_path / "c", [*sources(3), other], SETTINGS)


def test_other_settings_in_the_same_place_are_an_error(sources: Sources, tmp_path: Path) -> None:
    build_cache(tmp_path / "c", sources(1), SETTINGS, workers=1)
    other = Preprocessing(**{**vars(SETTINGS), "segments": 3, "fit": "pad"})
    with pytest.raises(CacheError, match=r"segments: 3 here, 2 there\n  fit: 'pad' here, 'crop' there\n.*another path"):
        build_cache(tmp_path / "c", sources(2), other)
    with pytest.raises(CacheError, match="codec 'raw', 'jpeg' is wanted"):
        build_cache(tmp_path / "c", sources(2), SETTINGS, codec="jpeg")
    assert len(CacheReader(tmp_path / "c")) == 1


def test_a_second_builder_at_once_is_an_error(sources: Sources, tmp_path: Path) -> None:
    with build_lock(tmp_path / "c"), pytest.raises(CacheError, match="another process builds"):
        build_cache(tmp_path / "c", sources(1), SETTINGS)
    assert build_cache(tmp_path / "c", sources(1), SETTINGS, workers=1).built == 1


def test_a_folder_of_something_else_is_left_alone(sources: Sources, tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c/notes.txt").write_text("mine")
    with pytest.raises(CacheError, match="is no cache: pass another path"):
        build_cache(tmp_path / "c", sources(1), SETTINGS)
    assert files(tmp_path) == {"c/notes.txt"}


class HangsInTheDecoder(ClipSource):
    def __reduce__(self) -> tuple[Any, ...]:
        return time.sleep, (60,)


class KillsTheDecoder(ClipSource):
    def __reduce__(self) -> tuple[Any, ...]:
        return os.abort, ()


def test_a_decoder_that_hangs_or_dies_is_listed_and_replaced(sources: Sources, film: Path, tmp_path: Path) -> None:
    bad: list[ClipSource] = [KillsTheDecoder("dies", film), HangsInTheDecoder("hangs", film)]
    report = build_cache(tmp_path / "c", [*bad, *sources(4)], SETTINGS, workers=1, time_limit=3.0)
    assert report.built == 4
    assert report.failed["dies"].endswith("the decoder died (SIGABRT)")
    assert report.failed["hangs"].endswith("decoding takes longer than 3 s")


def test_the_map_grows(sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_writer, "_FIRST_MAP_SIZE", 1 << 15)
    big = Preprocessing(**{**vars(SETTINGS), "frame_size": (61, 67)})
    build_cache(tmp_path / "c", sources(20), big, workers=1)
    build_cache(tmp_path / "c", sources(30), big, workers=1)
    reader = CacheReader(tmp_path / "c")
    assert len(reader) == 30
    assert damage_in(reader) == {}


BUILD = """
import resource, signal, sys
from pathlib import Path
from lstta_tasks.data import cache_writer
from lstta_tasks.data.build_cache import build_cache
from lstta_tasks.data.clip import ClipSource, Preprocessing
cache_writer._COMMIT_SECONDS = 0.02
film, folder, count, most_bytes = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
if most_bytes:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
sources = [ClipSource(f"clip{i}", film, start=i / 20, end=i / 20 + 1) for i in range(count)]
settings = Preprocessing(segments=2, frames_per_segment=3, frame_size=(5, 7), sample_rate=1_100, sound_seconds=0.5)
print("starts", flush=True)
report = build_cache(folder, sources, settings, workers=2)
print(report.built, report.reused, len(report.failed))
"""


def start(film: Path, folder: Path, count: int, most_bytes: int = 0) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    arguments = [str(film), str(folder), str(count), str(most_bytes)]
    return subprocess.Popen([sys.executable, "-c", BUILD, *arguments], text=True, env=environment, stdout=-1, stderr=-1)


def kept(folder: Path) -> int:
    """How many clips an interrupted build has kept."""
    partial = folder.with_name(f"{folder.name}.partial")
    if not (partial / "data.mdb").exists() or not (partial / "data.mdb").stat().st_size:
        return 0
    with lmdb.open(str(partial), readonly=True, lock=False) as environment, environment.begin() as txn:
        return sum(key.startswith(b"clip:") for key in txn.cursor().iternext(values=False))


def undisturbed(film: Path, folder: Path, count: int) -> tuple[str, float]:
    """The digest of a build that nobody kills, and how long it is at work here: kills are drawn from that span."""
    process = start(film, folder, count)
    assert process.stdout is not None
    process.stdout.readline()
    begun = time.monotonic()
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    return CacheReader(folder).digest(), time.monotonic() - begun


def kill_until_done(film: Path, folder: Path, count: int, span: float, draw: random.Random) -> int:
    """Start a build and kill it at a random moment, again and again until it ends first; how many met it at work."""
    met = 0
    for _ in range(1000):
        before = kept(folder)
        process = start(film, folder, count)
        assert process.stdout is not None
        process.stdout.readline()
        with suppress(subprocess.TimeoutExpired):
            process.wait(draw.uniform(0.0, span))
        process.send_signal(signal.SIGKILL)
        _, errors = process.communicate()
        if process.returncode == 0:
            return met
        assert process.returncode == -signal.SIGKILL, errors
        assert folder.exists() or kept(folder) >= before
        met += not folder.exists()
    raise AssertionError("the build does not get on")


def kill_builds(film: Path, folder: Path, count: int, kills: int) -> None:
    """Kill builds at work ``kills`` times at least; each ends like one that was never killed."""
    whole, span = undisturbed(film, folder / "whole", count)
    draw, met = random.Random(count), 0
    while met < kills:
        path = folder / f"killed-{met}"
        met += kill_until_done(film, path, count, span, draw)
        assert CacheReader(path).digest() == whole
        assert damage_in(CacheReader(path)) == {}
        assert not path.with_name(f"{path.name}.partial").exists()
        shutil.rmtree(path)


def test_killed_builds_end_like_one_that_was_not(sources: Sources, film: Path, tmp_path: Path) -> None:
    kill_builds(film, tmp_path, len(sources(40)), kills=3)


@pytest.mark.slow
@pytest.mark.timeout(3_000)
def test_many_killed_builds_end_like_one_that_was_not(sources: Sources, film: Path, tmp_path: Path) -> None:
    kill_builds(film, tmp_path, len(sources(60)), kills=24)


def test_builders_at_once_make_one_cache(sources: Sources, film: Path, tmp_path: Path) -> None:
    build_cache(tmp_path / "whole", sources(30), SETTINGS, workers=2)
    crowd = [start(film, tmp_path / "c", 30) for _ in range(3)]
    told = [process.communicate(timeout=600) for process in crowd]
    codes = [process.returncode for process in crowd]
    assert 0 in codes
    for code, (_, errors) in zip(codes, told, strict=True):
        assert code == 0 or "another process builds" in errors, errors
    assert CacheReader(tmp_path / "c").digest() == CacheReader(tmp_path / "whole").digest()
    assert files(tmp_path) == {"c/data.mdb", "whole/data.mdb"}


def test_a_kill_does_not_lose_what_was_committed(sources: Sources, film: Path, tmp_path: Path) -> None:
    process = start(film, tmp_path / "c", 50)
    deadline = time.monotonic() + 60
    while kept(tmp_path / "c") < 10 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    process.kill()
    process.communicate()
    done = kept(tmp_path / "c")
    assert done >= 10
    report = build_cache(tmp_path / "c", sources(50), SETTINGS, workers=2)
    assert (report.reused, report.built) == (done, 50 - done)


def test_a_full_disk_is_a_clear_end_with_all_kept(sources: Sources, film: Path, tmp_path: Path) -> None:
    errors = start(film, tmp_path / "c", 50, most_bytes=90_000).communicate(timeout=600)[1]
    assert "CacheError: cannot write the cache" in errors, errors
    assert "make room" in errors
    done = kept(tmp_path / "c")
    assert done > 5
    report = build_cache(tmp_path / "c", sources(50), SETTINGS, workers=2)
    assert (report.reused, report.built) == (done, 50 - done)
    assert damage_in(CacheReader(tmp_path / "c")) == {}


def test_what_a_kill_leaves_at_the_very_start_is_no_trouble(sources: Sources, tmp_path: Path) -> None:
    (tmp_path / "c.partial").mkdir()
    (tmp_path / "c.partial/data.mdb").touch()
    (tmp_path / ".c.lock").touch()
    assert build_cache(tmp_path / "c", sources(2), SETTINGS, workers=1).built == 2
    assert files(tmp_path) == {"c/data.mdb"}


def test_prune_keeps_what_is_asked_for_and_gives_space_back(sources: Sources, tmp_path: Path) -> None:
    gone = ClipSource("gone", tmp_path / "gone.mp4")
    build_cache(tmp_path / "c", [*sources(40), gone], SETTINGS, workers=2)
    build_cache(tmp_path / "few", sources(3), SETTINGS, workers=1)
    size = (tmp_path / "c/data.mdb").stat().st_size
    assert prune_cache(tmp_path / "c", ["clip0", "clip1", "clip2", "gone", "unknown"]) == 37
    reader = CacheReader(tmp_path / "c")
    assert reader.digest() == CacheReader(tmp_path / "few").digest()
    assert reader.failures.keys() == {"gone"}
    assert (tmp_path / "c/data.mdb").stat().st_size < size
    assert prune_cache(tmp_path / "c", reader.ids()) == 0
    assert files(tmp_path) == {"c/data.mdb", "few/data.mdb"}
