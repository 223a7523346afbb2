"""Building a config's feature cache: every clip and every text through the frozen prefix, once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lmdb
import torch
from mmengine.device import get_device
from torch import Tensor
from tqdm import tqdm

from lstta_core.fast_linear import fast_linear
from lstta_core.interfaces import EncoderState, LanguageSpec, Modality
from lstta_core.states import shared_extras, token_axes
from lstta_tasks.data import cache_layout as layout
from lstta_tasks.data.cache import CacheReader
from lstta_tasks.data.cache_layout import CacheError
from lstta_tasks.data.cache_writer import CacheWriter, build_lock
from lstta_tasks.data.collate import audio_inputs, language_inputs, visual_inputs
from lstta_tasks.data.features import check_is_features, pack_state, pack_tensors, shared_key
from lstta_tasks.engine.experiment import Experiment
from lstta_tasks.task import Split


@dataclass(frozen=True)
class FeatureReport:
    """What a build did: states that it computed, those that were there, and the size of the file in bytes."""

    path: Path
    built: int
    reused: int
    bytes: int


@dataclass(frozen=True)
class _Job:
    """One state to compute: its key, and the encoder's inputs, made when its turn comes."""

    key: str
    modality: Modality
    source: Any


def build_features(experiment: Experiment, splits: Sequence[Split] | None = None) -> FeatureReport:
    """Compute what the feature cache of a config lacks, and publish it in one step.

    A build that was killed goes on where it was. States that a finished cache has and the config does not name any
    more stay in it. The clips' cache must be there.

    Args:
        experiment: of the config; ``clips.features`` says where.
        splits: by default all whose annotations are there.

    Raises:
        CacheError: the path holds another model's states or clips, or the clips' cache is not there.
        ValueError: the config names no feature cache, its model has no frozen prefix, or none of its clips is in the
            clips' cache.
    """
    path, settings = experiment.features_path, experiment.feature_settings
    experiment.lockstep.to(get_device()).eval()
    jobs, length = _jobs(experiment, splits)
    path.parent.mkdir(parents=True, exist_ok=True)
    record = settings.record(experiment.preprocessing, length)
    partial = layout.partial_folder(path)
    with build_lock(path):
        finished = (path / layout.DATA_FILE).exists()
        known: set[str] = set()
        for folder, found, keys in _existing(path, partial):
            check_is_features(folder, found)
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
            if todo or partial.exists():  # a build may have been killed after its last state
                keep = {key: value for key, value in record.items() if key not in ("count", "digest")}
                writer = stack.enter_context(CacheWriter(partial, keep, base=path if finished else None))
                prefix = _Prefix(experiment, length)
                for job in tqdm(todo, unit="state", disable=None, desc=path.name):
                    prefix.write(writer, job)
                writer.publish(path)
    size = (path / layout.DATA_FILE).stat().st_size
    return FeatureReport(path=path, built=len(todo), reused=len(jobs) - len(todo), bytes=size)


def _jobs(experiment: Experiment, splits: Sequence[Split] | None) -> tuple[list[_Job], int]:
    """Everything that the splits need, each once, and the longest text of all splits in ids."""
    keys, cache = experiment.feature_keys, experiment.cache
    jobs: dict[str, _Job] = {}
    length = 1
    for split in experiment.task.splits():
        wanted = splits is None or split in splits
        for sample in experiment.task.samples(split):
            if keys.text is not None:
                length = max(length, len(keys.ids(sample.text)))
            for m, key in keys(sample).items() if wanted and sample.source.id in cache else ():
                jobs.setdefault(key, _Job(key, m, sample.text if m is Modality.LANGUAGE else sample.source.id))
    if not jobs:
        raise ValueError(f"none of the clips is in the cache {cache.path}: build it first with tools/cache.py build")
    return list(jobs.values()), length


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


class _Prefix:
    """The frozen prefix, clip by clip and text by text.

    Args:
        experiment: whose model, clips and preprocessing these are.
        length: what texts are padded to.
    """

    def __init__(self, experiment: Experiment, length: int) -> None:
        self.experiment = experiment
        self.model = experiment.lockstep
        self.length = length
        self._shared: dict[Modality, dict[str, Tensor]] = {}

    def write(self, writer: CacheWriter, job: _Job) -> None:
        """One state; before the first of its modality, what all of them share."""
        inputs = self._inputs(job)
        state = self._state(job.modality, inputs)
        if job.modality not in self._shared:
            self._share(writer, job.modality, inputs, state)
        shared = self._shared[job.modality]
        if not all(torch.equal(state.extras[name], tensor) for name, tensor in shared.items()):
            raise ValueError(
                f"clips.features: what the {job.modality} encoder's blocks need besides tokens is not fixed"
            )
        own = {name: tensor for name, tensor in state.extras.items() if name not in shared}
        length = int(inputs["mask"].sum()) if job.modality is Modality.LANGUAGE else 0
        record = pack_state(job.key, replace(state, extras=own), present=bool(inputs["present"]), length=length)
        writer.add(job.key, record)

    def _share(self, writer: CacheWriter, modality: Modality, inputs: dict[str, Tensor], state: EncoderState) -> None:
        twice = self._state(modality, {name: torch.cat([value, value]) for name, value in inputs.items()})
        shared = {name: state.extras[name] for name in shared_extras(state, twice)}
        axes: dict[str, list[int]] = {}
        if modality is Modality.LANGUAGE and self.length > 1:
            shorter = {name: inputs[name][..., :-1] for name in ("ids", "mask")}
            axes = token_axes(state, self._state(modality, inputs | shorter))
        self._shared[modality] = shared
        writer.add(shared_key(modality), pack_tensors(shared_key(modality), shared, {"token_axes": axes}))

    def _state(self, modality: Modality, inputs: dict[str, Tensor]) -> EncoderState:
        return self.model.prefix_of(modality, {name: value.to(get_device()) for name, value in inputs.items()})

    def _inputs(self, job: _Job) -> dict[str, Tensor]:
        match job.modality:
            case Modality.VISUAL:
                return visual_inputs([self.experiment.cache.read(job.source)])
            case Modality.AUDIO:
                return audio_inputs([self.experiment.cache.read(job.source)])
            case Modality.LANGUAGE:
                spec = self.model.by_modality()[Modality.LANGUAGE].spec
                assert isinstance(spec, LanguageSpec)
                return language_inputs([[job.source]], spec, at_least=self.length)
