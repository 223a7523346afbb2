"""Build caches of decoded clips: in parallel, resumable after a kill, published in one step."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lstta_tasks.data import cache_layout as layout
from lstta_tasks.data.cache import CacheError, CacheReader, open_cache
from lstta_tasks.data.cache_errors import check_settings
from lstta_tasks.data.cache_files import difference, is_of, known_files, seen
from lstta_tasks.data.cache_record import Codec
from lstta_tasks.data.cache_shards import CacheSet, check_shards, shard_folder, shard_of
from lstta_tasks.data.cache_writer import CacheWriter
from lstta_tasks.data.clip import ClipSource, Preprocessing
from lstta_tasks.data.cores import usable_cores
from lstta_tasks.data.decode_pool import decode_all
from lstta_tasks.data.resumable_build import ResumableBuild, build_lock, resumable_build
from lstta_tasks.how_long import HowLong


@dataclass(frozen=True)
class BuildReport:
    """What a build did.

    Attributes:
        path: the cache, or the shard of it that was built.
        total: clips asked for.
        built: clips decoded by this build.
        reused: clips that were there already.
        replaced: those decoded in place of clips of other files or spans, by id: what they were, and are now.
        skipped: clips asked for that were to be left out, and were not looked at.
        failed: the reason for each clip that could not be decoded, by id. The next build tries them again.
        seconds: how long it took.
    """

    path: Path
    total: int
    built: int
    reused: int
    replaced: dict[str, str]
    skipped: int
    failed: dict[str, str]
    seconds: float


def build_cache(
    path: Path | str,
    sources: Iterable[ClipSource],
    preprocessing: Preprocessing,
    *,
    codec: Codec = "raw",
    workers: int | None = None,
    shard: tuple[int, int] | None = None,
    time_limit: float = 120.0,
    skip: Collection[str] = (),
) -> BuildReport:
    """Decode what is not in the cache yet, and publish it.

    A build that was killed goes on where it was when called again, and ends with the same content. Clips that a
    finished cache has and ``sources`` has not stay in it. A clip whose file or span has changed is decoded again.

    Args:
        path: the cache's folder.
        sources: the clips. The same one may come several times.
        preprocessing: what to keep of each.
        codec: of the frames: ``"raw"`` for the fastest reading, ``"jpeg"`` for fewer bytes. Sound is raw in both.
        workers: processes that decode; None for one a core.
        shard: (i, n) to build the i-th of n parts, 0 ≤ i < n, each in a folder of its own under ``path``.
        time_limit: seconds for one clip; one that takes longer is listed as failed.
        skip: ids of clips to leave out. Those that a finished cache has stay in it, see :func:`prune_cache`.

    Raises:
        CacheError: the path holds a cache with other settings or other shards, another process builds it, or it cannot
            be written.
        ValueError: two different sources have the same id, or an argument is out of range.
    """
    wanted = unique(sources)
    path = Path(path)
    check_shards(path, shard)
    if shard is not None:
        index, count = shard
        wanted = {clip_id: source for clip_id, source in wanted.items() if shard_of(clip_id, count) == index}
        path = shard_folder(path, index, count)
    workers = usable_cores() if workers is None else workers
    return build_clips(ClipBuild(path, wanted, preprocessing, codec, workers, time_limit, frozenset(skip)))


@dataclass(frozen=True)
class ClipBuild:
    """What a cache in one piece, or one shard of a cache, is to hold: whoever is given it can build it.

    Attributes:
        path: the folder.
        wanted: its clips, by id.
        preprocessing, codec, workers, time_limit, skip: see :func:`build_cache`.

    Raises:
        ValueError: an argument is out of range.
    """

    path: Path
    wanted: dict[str, ClipSource]
    preprocessing: Preprocessing
    codec: Codec
    workers: int
    time_limit: float
    skip: frozenset[str]

    def __post_init__(self) -> None:
        if self.workers < 1 or self.time_limit <= 0:
            said = f"workers={self.workers}, time_limit={self.time_limit}"
            raise ValueError(f"a build needs workers and time, got {said}")


def build_clips(build: ClipBuild) -> BuildReport:
    """Build it, alone or as one of many. Raises as :func:`build_cache` does."""
    started = time.monotonic()
    todo = {clip_id: source for clip_id, source in build.wanted.items() if clip_id not in build.skip}
    built, replaced, failed = _build(build, todo)
    return BuildReport(
        path=build.path,
        total=len(build.wanted),
        built=built,
        reused=len(todo) - built - len(failed),
        replaced={clip_id: why for clip_id, why in replaced.items() if clip_id not in failed},
        skipped=len(build.wanted) - len(todo),
        failed=failed,
        seconds=time.monotonic() - started,
    )


def prune_cache(path: Path | str, keep: Iterable[str]) -> int:
    """Remove all clips but those to keep, and how many that were. The space is given back.

    Raises:
        CacheError: there is no finished cache, another process builds it, or it cannot be written.
    """
    wanted = set(keep)
    return sum(_prune(folder, wanted) for folder in _folders(open_cache(path)))


def _folders(cache: CacheReader | CacheSet) -> list[Path]:
    return [cache.path] if isinstance(cache, CacheReader) else [reader.path for reader in cache.readers]


def _prune(path: Path, wanted: set[str]) -> int:
    with build_lock(path):
        reader = CacheReader(path)
        if layout.partial_folder(path).exists():
            raise CacheError(f"{layout.partial_folder(path)} is an unfinished build: finish or remove it first")
        staying = [clip_id for clip_id in reader.ids() if clip_id in wanted]
        removed = len(reader) - len(staying)
        if not removed:
            return 0
        folder = path.with_name(f"{path.name}.pruned")
        if folder.exists():
            shutil.rmtree(folder)
        try:
            with CacheWriter(folder, layout.settings(reader.preprocessing, reader.meta["codec"])) as writer:
                for clip_id in tqdm(staying, unit="clip", disable=None, desc="prune"):
                    writer.add(clip_id, reader.read_record(clip_id))
                    writer.note(clip_id, reader.made_of(clip_id))
                for clip_id, reason in reader.failures.items():
                    if clip_id in wanted:
                        writer.fail(clip_id, reason)
                del reader  # closed: see there
                writer.publish(path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return removed


def _build(job: ClipBuild, wanted: dict[str, ClipSource]) -> tuple[int, dict[str, str], dict[str, str]]:
    """How many clips were decoded, which of them in place of others, and the reasons for those that could not be."""
    path, preprocessing, codec = job.path, job.preprocessing, job.codec
    built, failed = 0, {}
    with resumable_build(path) as build:
        if build.earlier is not None:
            _check_settings(build.earlier.folder, build.earlier.settings, preprocessing, codec)
        build.begin(layout.settings(preprocessing, codec))
        todo, replaced = _stale(build, wanted)
        with (
            closing(
                decode_all(todo, preprocessing, codec=codec, workers=job.workers, time_limit=job.time_limit)
            ) as decoded,
            tqdm(total=len(wanted), initial=len(wanted) - len(todo), unit="clip", disable=None, desc=path.name) as bar,
        ):
            how_long = HowLong(path.name, len(todo), "clips")
            for source, result in decoded:
                if isinstance(result, str):
                    failed[source.id] = result
                    build.fail(source.id, result)
                    bar.set_postfix(failed=len(failed))
                else:
                    built += 1
                    build.add(source.id, *result)
                bar.update()
                how_long.update()
    return built, replaced, failed


def _stale(build: ResumableBuild, wanted: dict[str, ClipSource]) -> tuple[list[ClipSource], dict[str, str]]:
    """The clips that are not there yet; and those that are there of other files, with the difference, by id.

    Media that are gone do not make a clip stale. Of those whose files only moved it is noted where they are.
    """
    todo: list[ClipSource] = []
    replaced: dict[str, str] = {}
    earlier = build.earlier
    for clip_id, source in tqdm(wanted.items(), desc="files", unit="clip", delay=2, disable=None):
        if earlier is None or clip_id not in earlier.sources:
            todo.append(source)
            continue
        known, now = earlier.files.get(clip_id) or known_files(earlier.sources[clip_id]), seen(source)
        try:
            current = is_of(source, known, now)
        except OSError:  # to be listed with the reason
            current = False
        if not current:
            todo.append(source)
            replaced[clip_id] = difference(source, known)
        elif (here := {kind: now[kind] or known["seen"][kind] for kind in now}) != known["seen"]:
            build.note(clip_id, known_files(known["made_of"], here))
    return todo, replaced


def _check_settings(path: Path, settings: dict[str, Any], preprocessing: Preprocessing, codec: Codec) -> None:
    check_settings(path, settings, preprocessing)
    if settings["codec"] != codec:
        raise CacheError(f"{path} holds clips with codec {settings['codec']!r}, {codec!r} is wanted: use another path")


def unique(sources: Iterable[ClipSource]) -> dict[str, ClipSource]:
    """Each source once, by its id; a ValueError where two different ones have the same."""
    wanted: dict[str, ClipSource] = {}
    for source in sources:
        if wanted.setdefault(source.id, source) != source:
            raise ValueError(f"two clips have the id {source.id!r}: {wanted[source.id]} and {source}")
    return wanted
