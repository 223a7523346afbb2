"""Building a config's prefix cache, or a shard of it: every clip and every text through the frozen prefix, once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from lstta_core.fast_linear import fast_linear
from lstta_core.interfaces import Modality
from lstta_tasks.data.cache import CacheError, CacheReader
from lstta_tasks.data.cache_errors import check_settings
from lstta_tasks.data.cache_files import check_sources
from lstta_tasks.data.cache_layout import DATA_FILE, OF_FINISHED
from lstta_tasks.data.cache_shards import check_shards, shard_folder, shard_of
from lstta_tasks.data.resumable_build import Earlier, resumable_build
from lstta_tasks.device import device_of
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.how_long import HowLong
from lstta_tasks.prefix.prefix_cache import check_is_prefix
from lstta_tasks.prefix.states import PrefixStates, StateJob
from lstta_tasks.task import Split


@dataclass(frozen=True)
class PrefixReport:
    """What a build did: states that it computed, those that were there, and the size of the file in bytes."""

    path: Path
    built: int
    reused: int
    bytes: int


@dataclass(frozen=True)
class PrefixBuild:
    """What a prefix cache in one piece, or one shard of it, is to hold.

    Attributes:
        path: the folder.
        jobs: its states.
        length: of the longest text of the whole, in ids: all texts are padded to it.
    """

    path: Path
    jobs: list[StateJob]
    length: int


def build_prefix(
    experiment: Experiment,
    splits: Sequence[Split] | None = None,
    shard: tuple[int, int] | None = None,
    *,
    where: str | None = None,
) -> PrefixReport:
    """Compute what the prefix cache of a config lacks, and publish it in one step.

    A build that was killed goes on where it was. States that a finished cache has and the config does not name any
    more stay in it. The clips' cache must be there, whole: the longest of all texts is counted before the first.

    Args:
        experiment: of the config; ``clips.prefix`` says where.
        splits: by default all whose annotations are there.
        shard: (i, n) to build the i-th of n parts, 0 ≤ i < n, each in a folder of its own under ``clips.prefix``.
        where: ``"cpu"``, ``"cuda"``, ``"cuda:1"``; by default a GPU where there is one.

    Raises:
        CacheError: the path holds another model's states or clips, or other shards; or the clips' cache is not there
            or has clips of other files.
        ValueError: there is no such device or shard, the config names no prefix cache, its model has no frozen prefix,
            or none of its clips is in the clips' cache.
    """
    check_shards(experiment.prefix.path, shard)
    if shard is None:
        return build_states(experiment, PrefixBuild(experiment.prefix.path, *prefix_jobs(experiment, splits)), where)
    return build_states(experiment, prefix_shards(experiment, splits, shard[1])[shard[0]], where)


def prefix_shards(experiment: Experiment, splits: Sequence[Split] | None, count: int) -> list[PrefixBuild]:
    """All parts of a build in so many, with one length of texts: that of shards which are there, where it is enough."""
    path = experiment.prefix.path
    jobs, length = prefix_jobs(experiment, splits)
    folders = [shard_folder(path, index, count) for index in range(count)]
    there = [CacheReader(folder) for folder in folders if (folder / DATA_FILE).exists()]
    length = max([length, *(reader.meta["features"]["text_length"] for reader in there if "features" in reader.meta)])
    parts: list[list[StateJob]] = [[] for _ in folders]
    for job in jobs:
        parts[shard_of(job.key, count)].append(job)
    return [PrefixBuild(folder, part, length) for folder, part in zip(folders, parts, strict=True)]


def build_states(experiment: Experiment, wanted: PrefixBuild, where: str | None = None) -> PrefixReport:
    """Build it, alone or as one of many. Raises as :func:`build_prefix` does."""
    path, jobs, place = wanted.path, wanted.jobs, device_of(where)
    for model in experiment.prefix.models.values():
        model.to(place).eval()
    with resumable_build(path) as build, ExitStack() as stack:
        record = experiment.prefix.settings.record(experiment.preprocessing, wanted.length)
        if build.earlier is not None:
            record = _fitting(build.earlier, experiment, wanted.length)
        earlier = {} if build.earlier is None else build.earlier.sources
        todo = [job for job in jobs if job.key not in earlier]
        build.begin(record)
        stack.enter_context(torch.no_grad())
        stack.enter_context(fast_linear(enabled=place.type == "cpu"))
        if experiment.compiled:  # states serve runs with and without
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        states = PrefixStates(experiment, record["features"]["text_length"])
        how_long = HowLong(path.name, len(todo), "states")
        for job in tqdm(todo, unit="state", disable=None, desc=path.name):
            states.write(build, job)
            how_long.update()
    size = (path / DATA_FILE).stat().st_size
    return PrefixReport(path=path, built=len(todo), reused=len(jobs) - len(todo), bytes=size)


def prefix_jobs(experiment: Experiment, splits: Sequence[Split] | None) -> tuple[list[StateJob], int]:
    """Everything that the splits need, each once, and the longest text of all splits in ids."""
    keys, cache = experiment.prefix.keys, experiment.cache
    jobs: dict[str, StateJob] = {}
    texts: set[str | None] = set()
    for split in experiment.task.splits():
        wanted = splits is None or split in splits
        samples = experiment.task.samples(split)
        check_sources(cache, (sample.source for sample in samples if wanted and sample.source.id in cache))
        for sample in samples:
            cached = sample.source.id in cache
            if cached or not keys.timed_text:
                texts.update(keys.texts(sample))
            for m, places in keys(sample).items() if wanted and cached else ():
                sources = keys.texts(sample) if m is Modality.LANGUAGE else [sample.source.id]
                for key, source in zip(places, sources, strict=True):
                    jobs.setdefault(key, StateJob(key, m, source))
    if not jobs:
        raise ValueError(f"none of the clips is in the cache {cache.path}: build it first with lstta cache build")
    lengths = [] if keys.text is None else [len(keys.ids(text)) for text in texts]
    return list(jobs.values()), max([1, *lengths])


def _fitting(earlier: Earlier, experiment: Experiment, length: int) -> dict[str, Any]:
    """The settings of what is there, which may hold more encoders' states and pad texts to more ids.

    Raises:
        CacheError: it is no prefix cache, it is another model's, or its texts are shorter.
    """
    folder, settings = earlier.folder, earlier.settings
    check_is_prefix(folder, settings)
    check_settings(folder, settings, experiment.preprocessing)
    experiment.prefix.settings.check(folder, settings["features"])
    if settings["features"]["text_length"] < length:
        raise CacheError(
            f"{folder} pads texts to {settings['features']['text_length']} ids, the longest has {length} now: "
            "remove it, or build another under another path"
        )
    return {key: value for key, value in settings.items() if key not in OF_FINISHED}
