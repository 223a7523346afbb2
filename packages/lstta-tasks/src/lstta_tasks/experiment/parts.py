"""Everything that a config describes, built part by part in the order in which the parts need each other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch.utils.data import DataLoader

from lstta_core.interfaces import AudioSpec, Encoder, InputSpec, Modality, VisualSpec
from lstta_core.methods.choice import MethodChoice
from lstta_tasks.answers.each_segment import EachSegment, on_the_clips_time
from lstta_tasks.data.batch import Collate, SampleDataset
from lstta_tasks.data.cache import CacheError, CacheReader, open_cache
from lstta_tasks.data.cache_shards import CacheSet
from lstta_tasks.data.clip import Preprocessing
from lstta_tasks.data.features import FeatureDataset, feature_specs, needs_clips
from lstta_tasks.experiment.factories import call, create, plain
from lstta_tasks.experiment.lengths import lengths_for
from lstta_tasks.experiment.loader import PlacedSampler
from lstta_tasks.experiment.named import check_method
from lstta_tasks.experiment.patience import PATIENCE, PatientLoader
from lstta_tasks.experiment.train_share import share_of
from lstta_tasks.in_section import in_section
from lstta_tasks.network import TaskNetwork, build_model
from lstta_tasks.prefix.dataset import PrefixCollate, PrefixDataset
from lstta_tasks.prefix.prefix import Prefix
from lstta_tasks.prefix.prefix_cache import CODEC
from lstta_tasks.task import Sample, Split, Task

AnyDataset = SampleDataset | FeatureDataset | PrefixDataset


class Experiment:
    """A config, as ``load_config`` gives it, and what it describes; each part is built when it is first asked for."""

    def __init__(self, config: Config) -> None:
        self.config = config

    @cached_property
    def task(self) -> Task:
        task = create("task", "task", self.config.task)
        assert isinstance(task, Task)
        return task

    @cached_property
    def encoders(self) -> dict[Modality, Encoder]:
        wanted, clips = self.config.encoders, self.config.clips
        if not wanted:
            raise ValueError(f"encoders: some of {', '.join(Modality)} are wanted, got none")
        for m in wanted:  # into the config, so that an adapter's record says them too
            lengths = lengths_for(f"encoders.{m}", wanted[m], clips)
            wanted[m].update(lengths)
        return {Modality(m): create("encoder", f"encoders.{m}", settings) for m, settings in wanted.items()}

    @cached_property
    def specs(self) -> dict[Modality, InputSpec]:
        return {modality: encoder.spec for modality, encoder in self.encoders.items()}

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """What the encoders' specs and the section ``clips`` ask of decoding."""
        others = ("cache", "codec", "prefix")
        options = {key: plain(value) for key, value in self.config.clips.items() if key not in others}
        visual, audio = self.specs.get(Modality.VISUAL), self.specs.get(Modality.AUDIO)
        # A model without one of the two still reads the cache of the model with all three.
        wanted: dict[str, Any] = {"frame_size": (16, 16), "sample_rate": 16000}
        if isinstance(visual, VisualSpec):
            wanted |= {"frame_size": visual.size, "frames_per_segment": visual.frames_per_segment}
        if isinstance(audio, AudioSpec):
            wanted["sample_rate"] = audio.sample_rate
        with in_section("clips", wanted | options):
            made: Preprocessing = call(Preprocessing, "clips", wanted | options)
        return made

    @cached_property
    def _built(self) -> tuple[TaskNetwork, MethodChoice]:
        method, options = plain(self.config.method), plain(self.config.model)
        check_method("method", method)
        extra = {"encoders": self.encoders, "method": method, "task": self.task}
        built: tuple[TaskNetwork, MethodChoice] = call(build_model, "model", {**options, **extra})
        return built

    @property
    def model(self) -> TaskNetwork:
        """The task's network, freshly initialised when it is first asked for."""
        return self._built[0]

    @property
    def choice(self) -> MethodChoice:
        """The method, as a budget has made it."""
        return self._built[1]

    @property
    def compiled(self) -> bool:
        """Whether blocks and adapters go through ``torch.compile``."""
        return bool(self.config.model.get("compile"))

    @cached_property
    def cache(self) -> CacheReader | CacheSet:
        """The clips'; a CacheError where it is not there, was built with other preprocessing, or holds states."""
        cache = open_cache(Path(self.config.clips.cache), self.preprocessing)
        first = cache if isinstance(cache, CacheReader) else cache.readers[0]
        if first.meta["codec"] == CODEC:
            raise CacheError(f"{cache.path} is a prefix cache: clips.cache wants one of clips, clips.prefix this one")
        return cache

    @cached_property
    def prefix(self) -> Prefix:
        """What stands in for clips where the config names a prefix cache."""
        return Prefix(self)

    @cached_property
    def collate(self) -> Collate | PrefixCollate:
        """For the encoders that the network has."""
        if "prefix" in self.config.clips:
            return self.prefix.collate
        return Collate(self.used, timed_text=self.task.timed_text)

    @cached_property
    def used(self) -> dict[Modality, InputSpec]:
        """The specs of the encoders that the network has, which may be fewer than the config's."""
        used = self.config.model.get("modalities") or self.specs
        return {m: spec for m, spec in self.specs.items() if m in used}

    def dataset(self, split: Split) -> AnyDataset:
        """A split's samples, of train the share that the config trains on; see :meth:`dataset_of`."""
        samples, share = self.task.samples(split), self.config.loader.get("train_share", 1)
        return self.dataset_of(share_of(samples, share, self.config.seed) if split == "train" else samples)

    def dataset_of(self, samples: Sequence[Sample]) -> AnyDataset:
        """Samples with their clips, or with their features where encoders read those, or with their states where the
        config names a prefix cache; answers for every segment on the time of each clip."""
        dataset = self._dataset_of(samples)
        if isinstance(kind := self.task.answer, EachSegment):
            cached = "prefix" in self.config.clips or needs_clips(self.used)
            lasts = (lambda clip: float(self.cache.header(clip)["duration"])) if cached else None
            segments = self.preprocessing.segments
            dataset.samples[:] = on_the_clips_time(kind, dataset.samples, segments, lasts)
        return dataset

    def _dataset_of(self, samples: Sequence[Sample]) -> AnyDataset:
        if "prefix" in self.config.clips:
            return self.prefix.dataset(samples)
        clips = SampleDataset(samples, self.cache) if needs_clips(self.used) else None
        if specs := feature_specs(self.used):
            return FeatureDataset(samples, specs, segments=self.preprocessing.segments, clips=clips)
        assert clips is not None
        return clips

    def loader(self, split: Split, dataset: AnyDataset, *, training: bool = False) -> DataLoader[Any]:
        """Batches of a split: shuffled by seed and epoch for train, else in order. Shared out between ranks.

        Where they are to train on, drawn and augmented as the config says.
        """
        workers, read = self.config.loader["workers"], dataset
        sampler = PlacedSampler(dataset, shuffle=split == "train", seed=self.config.seed)
        if training and (self.config.get("augment") or "sampling" in self.config.loader):
            from lstta_tasks.experiment.training_data import prepared

            read = prepared(self, dataset, sampler)
        loader = PatientLoader(
            read,
            batch_size=self.config.loader["batch_size"],
            sampler=sampler,
            num_workers=workers,
            collate_fn=self.collate,
            pin_memory=torch.cuda.is_available(),
            persistent_workers=workers > 0,
        )
        loader.patience = self.config.loader.get("timeout", PATIENCE)
        return loader
