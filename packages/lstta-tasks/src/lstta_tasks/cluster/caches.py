"""The caches of clips and of frozen prefixes on a Ray cluster: each shard is built as a machine alone builds it."""

from __future__ import annotations

import pickle
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from lstta_tasks.cluster.on_ray import RayCluster
from lstta_tasks.data.build_cache import BuildReport, ClipBuild, build_clips, unique
from lstta_tasks.data.cache import CacheError
from lstta_tasks.data.cache_record import Codec
from lstta_tasks.data.cache_shards import check_shards, shard_counts, shard_folder, shard_of
from lstta_tasks.data.clip import ClipSource, Preprocessing
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.prefix.build import PrefixBuild, PrefixReport, build_states, prefix_shards
from lstta_tasks.prefix.prefix_cache import PrefixSettings
from lstta_tasks.task import Split

SHARDS_A_CORE, MOST = 4, 256
"""How many shards a new cache gets; each is a file that is open wherever the cache is read."""


def build_cache_on(
    cluster: RayCluster,
    path: Path | str,
    sources: Iterable[ClipSource],
    preprocessing: Preprocessing,
    *,
    codec: Codec = "raw",
    workers: int = 1,
    shards: int | None = None,
    time_limit: float = 120.0,
    skip: Collection[str] = (),
) -> BuildReport:
    """As :func:`~lstta_tasks.data.build_cache.build_cache`, in shards that the cluster's nodes build.

    Args:
        cluster: all of whose nodes see the path and the sources.
        path, sources, preprocessing, codec, time_limit, skip: as there.
        workers: processes that decode a shard; each takes a core.
        shards: how many; by default as many as there are, or four a core.

    Raises:
        CacheError: shards could not be built, with the reason of one; the others are there, and the next build goes on.
        ValueError: see there.
    """
    started = time.monotonic()
    path, wanted = Path(path), unique(sources)
    count = _count(path, shards, cluster, len(wanted))
    empty = ClipBuild(path, {}, preprocessing, codec, workers, time_limit, frozenset(skip))
    builds = [replace(empty, path=shard_folder(path, index, count), wanted={}) for index in range(count)]
    for clip_id, source in wanted.items():
        builds[shard_of(clip_id, count)].wanted[clip_id] = source
    jobs = {build.path.name: build for build in builds}
    reports, failed = cluster.run(build_clips, jobs, cores=workers, what=path.name)
    _check(path, failed, count)
    return BuildReport(
        path=path,
        total=sum(report.total for report in reports),
        built=sum(report.built for report in reports),
        reused=sum(report.reused for report in reports),
        replaced={clip_id: why for report in reports for clip_id, why in report.replaced.items()},
        skipped=sum(report.skipped for report in reports),
        failed={clip_id: why for report in reports for clip_id, why in report.failed.items()},
        seconds=time.monotonic() - started,
    )


def build_prefix_on(
    cluster: RayCluster,
    config: str,
    options: Mapping[str, Any],
    splits: Sequence[Split] | None = None,
    *,
    threads: int = 1,
    shards: int | None = None,
    where: str | None = None,
) -> PrefixReport:
    """As :func:`~lstta_tasks.prefix.build.build_prefix`, in shards that the cluster's nodes build.

    Args:
        cluster: all of whose nodes see what the config names. Where it has GPUs each shard takes one.
        config, options: for ``load_config``.
        splits: as there.
        threads: with which a shard is computed; each takes a core.
        where: the device, as there.
        shards: how many; by default as many as there are, or four a core.

    Raises:
        CacheError: shards could not be built, with the reason of one; the others are there, and the next build goes on.
        ValueError: see there.
    """
    experiment = Experiment(load_config(config, dict(options)))
    path = experiment.prefix.path
    count = _count(path, shards, cluster, len(experiment.cache))
    settings, packed = experiment.prefix.settings, pickle.dumps(dict(options))
    builds = prefix_shards(experiment, splits, count)
    jobs = {build.path.name: _StatesJob(config, packed, settings, build, threads, where) for build in builds}
    reports, failed = cluster.run(
        _build_states, jobs, cores=threads, gpus=0 if where == "cpu" else min(1, cluster.gpus), what=path.name
    )
    _check(path, failed, count)
    return PrefixReport(
        path=path,
        built=sum(report.built for report in reports),
        reused=sum(report.reused for report in reports),
        bytes=sum(report.bytes for report in reports),
    )


@dataclass(frozen=True)
class _StatesJob:
    """A shard of states: what a node needs to make the model, what it should be, and which states."""

    config: str
    options: bytes
    settings: PrefixSettings
    build: PrefixBuild
    threads: int
    where: str | None


def _build_states(job: _StatesJob) -> PrefixReport:
    """What a node does."""
    torch.set_num_threads(job.threads)
    experiment = _experiment(job.config, job.options)
    experiment.prefix.settings.check(job.build.path, asdict(job.settings))
    return build_states(experiment, job.build, job.where)


@lru_cache(maxsize=1)
def _experiment(config: str, options: bytes) -> Experiment:
    """Made once by each of a node's workers, however many shards it gets."""
    return Experiment(load_config(config, pickle.loads(options)))


def _count(path: Path, asked: int | None, cluster: RayCluster, entries: int) -> int:
    there = max(shard_counts(path), default=None)
    count = asked or there or max(1, min(SHARDS_A_CORE * cluster.cores, entries, MOST))
    check_shards(path, (0, count))
    return count


def _check(path: Path, failed: Mapping[str, str], count: int) -> None:
    if failed:
        name, reason = next(iter(failed.items()))
        raise CacheError(
            f"{path}: {len(failed)} of {count} shards could not be built, such as {name}: {reason}\nThe others are "
            "there; the same command goes on with what is missing."
        )
