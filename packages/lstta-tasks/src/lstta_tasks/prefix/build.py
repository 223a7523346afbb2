"""Building a config's prefix cache: every clip and every text through the frozen prefix, once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lmdb
import torch
from mmengine.device import get_device
from tqdm import tqdm

from lstta_core.fast_linear import fast_linear
from lstta_core.interfaces import Modality
from lstta_tasks.data import cache_layout as layout
from lstta_tasks.data.cache import CacheReader
from lstta_tasks.data.cache_layout import CacheError
from lstta_tasks.data.cache_writer import CacheWriter, build_lock
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.prefix.cache import check_is_prefix
from lstta_tasks.prefix.states import PrefixStates, StateJob
from lstta_tasks.task import Split


@dataclass(frozen=True)
class FeatureReport:
    """What a build did: states that it computed, those that were there, and the size of the file in bytes."""

    path: Path
    built: int
    reused: int
    bytes: int


def build_prefix(experiment: Experiment, splits: Sequence[Split] | None = None) -> FeatureReport:
    """Compute what the prefix cache of a config lacks, and publish it in one step.

    A build that was killed goes on where it was. States that a finished cache has and the config does not name any
    more stay in it. The clips' cache must be there.

    Args:
        experiment: of the config; ``clips.prefix`` says where.
        splits: by default all whose annotations are there.

    Raises:
        CacheError: the path holds another model's states or clips, or the clips' cache is not there.
        ValueError: the config names no prefix cache, its model has no frozen prefix, or none of its clips is in the
            clips' cache.
    """
    path, settings = experiment.prefix_path, experiment.prefix_settings
    for model in experiment.prefixes.values():
        model.to(get_device()).eval()
    jobs, length = _jobs(experiment, splits)
    path.parent.mkdir(parents=True, exist_ok=True)
    record = settings.record(experiment.preprocessing, length)
    partial = layout.partial_folder(path)
    with build_lock(path):
        finished = (path / layout.DATA_FILE).exists()
        known: set[str] = set()
        for folder, found, keys in _existing(path, partial):
            check_is_prefix(folder, found)
            layout.check_preprocessing(folder, found, experiment.preprocessing)
            settings.check(folder, found["features"])
            if found["features"]["text_length"] < length:
                raise CacheError(
                    f"{folder} pads texts to {found['features']['text_length']} ids, the longest has {length} now: "
                    "remove it, or build another under another path"
                )
            length, record, known = found["features"]["text_length"], found, keys
        todo = [job for job in jobs if job.key not in known]
        with ExitStack() as stack:
            stack.enter_context(torch.no_grad())
            stack.enter_context(fast_linear(enabled=not torch.cuda.is_available()))
            if experiment.compiled:  # states serve runs with and without
                stack.enter_context(torch.compiler.set_stance("force_eager"))
            if todo or partial.exists():  # a build may have been killed after its last state
                keep = {key: value for key, value in record.items() if key not in ("count", "digest")}
                writer = stack.enter_context(CacheWriter(partial, keep, base=path if finished else None))
                prefix = PrefixStates(experiment, length)
                for job in tqdm(todo, unit="state", disable=None, desc=path.name):
                    prefix.write(writer, job)
                writer.publish(path)
    size = (path / layout.DATA_FILE).stat().st_size
    return FeatureReport(path=path, built=len(todo), reused=len(jobs) - len(todo), bytes=size)


def _jobs(experiment: Experiment, splits: Sequence[Split] | None) -> tuple[list[StateJob], int]:
    """Everything that the splits need, each once, and the longest text of all splits in ids."""
    keys, cache = experiment.prefix_keys, experiment.cache
    jobs: dict[str, StateJob] = {}
    texts: set[str | None] = set()
    for split in experiment.task.splits():
        wanted = splits is None or split in splits
        for sample in experiment.task.samples(split):
            there = sample.source.id in cache
            if there or not keys.timed_text:
                texts.update(keys.texts(sample))
            for m, places in keys(sample).items() if wanted and there else ():
                sources = keys.texts(sample) if m is Modality.LANGUAGE else [sample.source.id]
                for key, source in zip(places, sources, strict=True):
                    jobs.setdefault(key, StateJob(key, m, source))
    if not jobs:
        raise ValueError(f"none of the clips is in the cache {cache.path}: build it first with tools/cache.py build")
    lengths = [] if keys.text is None else [len(keys.ids(text)) for text in texts]
    return list(jobs.values()), max([1, *lengths])


def _existing(path: Path, partial: Path) -> Iterator[tuple[Path, dict[str, Any], set[str]]]:
    """The build that goes on, or else the finished cache: its settings and its keys."""
    data = partial / layout.DATA_FILE
    if data.exists() and data.stat().st_size > 0:
        try:
            with (
                lmdb.open(str(partial), readonly=True, create=False, lock=False) as environment,
                environment.begin(buffers=True) as txn,
            ):
                stored = txn.get(layout.SETTINGS_KEY)
                found = None if stored is None else layout.load_json(stored)
                keys = {layout.shown(name) for name, _ in layout.entries(txn, layout.CLIP)}
        except lmdb.Error as error:
            raise CacheError(f"{partial} is damaged ({error}): remove it and build anew") from error
        if found is not None:
            yield partial, found, keys
            return
    if partial.exists():
        shutil.rmtree(partial)
    if (path / layout.DATA_FILE).exists():
        reader = CacheReader(path)
        yield path, reader.meta, set(reader.ids())
