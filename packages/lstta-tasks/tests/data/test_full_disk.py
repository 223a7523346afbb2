"""A disk that is really full: a small file system in memory, in a mount namespace of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lstta_tasks.data.build_cache import build_cache
from lstta_tasks.data.cache import CacheReader
from lstta_tasks.data.clip import ClipSource, Preprocessing

SETTINGS = Preprocessing(segments=2, frames_per_segment=3, frame_size=(31, 37), sample_rate=1_100, sound_seconds=0.5)
OWN_MOUNTS = ["unshare", "--user", "--map-root-user", "--mount"]
ON_A_SMALL_DISK = """
import subprocess, sys
from pathlib import Path
from lstta_tasks.data import cache_writer
from lstta_tasks.data.build_cache import build_cache, prune_cache
from lstta_tasks.data.cache import CacheError, CacheReader
from lstta_tasks.data.clip import ClipSource, Preprocessing
from lstta_tasks.data.verify_cache import damage_in

cache_writer._COMMIT_SECONDS = 0.02
disk, film = Path(sys.argv[1]), Path(sys.argv[2])
settings = Preprocessing(segments=2, frames_per_segment=3, frame_size=(31, 37), sample_rate=1_100, sound_seconds=0.5)
sources = [ClipSource(f"clip{i}", film, start=i / 20, end=i / 20 + 1) for i in range(60)]

def resize(kilobytes):
    subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", disk], check=True)

def refused(work):
    try:
        work()
    except CacheError as error:
        assert "make room" in str(error), error
    else:
        raise AssertionError("it fits")

# A new cache, for which there is room to begin.
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", disk], check=True)
refused(lambda: build_cache(disk / "new", sources, settings, workers=2))
resize(4000)
report = build_cache(disk / "new", sources, settings, workers=2)
assert report.reused > 5 and report.reused + report.built == 60, report
print(CacheReader(disk / "new").digest())

# A finished cache to add to: first without room for its copy, then without room for what is new.
build_cache(disk / "more", sources[:20], settings, workers=2)
for room in (200, 1200):
    used = sum(file.stat().st_blocks // 2 for file in disk.rglob("*") if file.is_file())
    resize(used + room)
    refused(lambda: build_cache(disk / "more", sources, settings, workers=2))
    assert len(CacheReader(disk / "more")) == 20 and not damage_in(CacheReader(disk / "more"))
refused(lambda: prune_cache(disk / "new", [f"clip{i}" for i in range(59)]))
assert len(CacheReader(disk / "new")) == 60 and not damage_in(CacheReader(disk / "new"))
resize(20000)
report = build_cache(disk / "more", sources, settings, workers=2)
assert 20 <= report.reused < 60 and report.reused + report.built == 60, report
print(CacheReader(disk / "more").digest())
assert prune_cache(disk / "new", [f"clip{i}" for i in range(59)]) == 1
print(sorted(path.name for path in disk.rglob("*") if path.suffix == ".mdb"))
"""


def test_everything_that_was_good_is_kept(sources: Callable[[int], list[ClipSource]], tmp_path: Path) -> None:
    if subprocess.run([*OWN_MOUNTS, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mounts of one's own here")
    (tmp_path / "disk").mkdir()
    build_cache(tmp_path / "c", sources(60), SETTINGS, workers=2)
    film = sources(1)[0].video
    child = subprocess.run(
        [*OWN_MOUNTS, sys.executable, "-c", ON_A_SMALL_DISK, str(tmp_path / "disk"), str(film)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert child.returncode == 0, child.stderr
    digest = CacheReader(tmp_path / "c").digest()
    assert child.stdout.splitlines() == [digest, digest, str(["data.mdb", "data.mdb"])]
