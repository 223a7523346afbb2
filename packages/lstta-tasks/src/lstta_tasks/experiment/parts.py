"""Everything that a config describes, built part by part in the order in which the parts need each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import DefaultSampler
from torch.utils.data import DataLoader

from lstta_core.budget import MethodChoice
from lstta_core.interfaces import AudioSpec, Encoder, InputSpec, LanguageSpec, Modality, VisualSpec
from lstta_core.lockstep import TrimodalModel
from lstta_tasks.data.cache import CacheError, CacheReader, CacheSet, open_cache
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.data.collate import Collate
from lstta_tasks.data.dataset import SampleDataset
from lstta_tasks.data.preprocessing import Preprocessing
from lstta_tasks.experiment.factories import call, check_method, create, described, plain
from lstta_tasks.network import TaskNetwork, build_model
from lstta_tasks.prefix.cache import CODEC, PrefixReader, PrefixSettings
from lstta_tasks.prefix.dataset import PrefixCollate, PrefixDataset, PrefixKeys
from lstta_tasks.task import Sample, Split, Task


class Experiment:
    """A config and what it describes; each part is built when it is first asked for.

    Args:
        config: as :func:`~lstta_tasks.experiment.config.load_config` gives it.
    """

    def __init__(self, config: Config) -> None:
        self.config = config

    @cached_property
    def task(self) -> Task:
        task = create("task", "task", self.config.task)
        assert isinstance(task, Task)
        return task

    @cached_property
    def encoders(self) -> dict[Modality, Encoder]:
        """
        Raises:
            ValueError: there is none, or one for something that is no modality.
        """
        wanted = self.config.encoders
        if not wanted or not set(wanted) <= set(Modality):
            raise ValueError(f"encoders: some of {', '.join(Modality)} are wanted, got {', '.join(wanted) or 'none'}")
        return {Modality(m): create("encoder", f"encoders.{m}", settings) for m, settings in wanted.items()}

    @cached_property
    def specs(self) -> dict[Modality, InputSpec]:
        return {modality: encoder.spec for modality, encoder in self.encoders.items()}

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """What the encoders' specs and the section ``clips`` ask of decoding."""
        options = plain(
            {key: value for key, value in self.config.clips.items() if key not in ("cache", "codec", "prefix")}
        )
        visual, audio = self.specs.get(Modality.VISUAL), self.specs.get(Modality.AUDIO)
        if isinstance(visual, VisualSpec):
            options.setdefault("frame_size", visual.size)
            options.setdefault("frames_per_segment", visual.frames_per_segment)
        if isinstance(audio, AudioSpec):
            options.setdefault("sample_rate", audio.sample_rate)
        # A model without one of the two still reads the cache of the model with all three.
        options.setdefault("frame_size", (16, 16))
        options.setdefault("sample_rate", 16000)
        preprocessing = call(Preprocessing, "clips", options)
        assert isinstance(preprocessing, Preprocessing)
        return preprocessing

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

    def sources(self, splits: Sequence[Split] | None = None) -> list[ClipSource]:
        """The clips of some splits, each once, in the order of the annotations.

        Args:
            splits: by default all whose annotations are there.

        Raises:
            FileNotFoundError: the annotations of a split that is named, or of all, are not there.
        """
        clips: dict[str, ClipSource] = {}
        for split in splits or self.task.splits():
            clips.update({clip.id: clip for clip in self.task.clips(split)})
        return list(clips.values())

    @cached_property
    def cache(self) -> CacheReader | CacheSet:
        """
        Raises:
            FileNotFoundError: there is no finished cache at ``clips.cache``.
            ValueError: it was built with other preprocessing, or holds states.
        """
        cache = open_cache(Path(self.config.clips.cache), self.preprocessing)
        if isinstance(cache, CacheReader) and cache.meta["codec"] == CODEC:
            raise CacheError(f"{cache.path} is a prefix cache: clips.cache wants one of clips, clips.prefix this one")
        return cache

    @property
    def prefix_path(self) -> Path:
        """
        Raises:
            ValueError: the config names no prefix cache.
        """
        if "prefix" not in self.config.clips:
            raise ValueError("clips.prefix: it is missing; the path of the prefix cache's folder is wanted")
        return Path(self.config.clips.prefix)

    @property
    def prefixes(self) -> dict[Modality, TrimodalModel]:
        """The lockstep models whose prefixes a prefix cache holds, by the modalities that they read.

        Raises:
            ValueError: a prefix is not frozen, or several models read a modality.
        """
        found: dict[Modality, TrimodalModel] = {}
        for model in self.model.lockstep_models().values():
            if not model.prefix_is_frozen:
                raise ValueError(
                    f"clips.prefix: method {self.config.method['name']!r} trains inside the encoders, before the "
                    "first adapted stage; give it a target behind that, or leave clips.prefix out"
                )
            if again := [m for m in model.by_modality() if m in found]:
                raise ValueError(
                    f"clips.prefix: several towers of the task {self.task.name} read {again[0]}, as those of a "
                    "joint retrieval do: leave clips.prefix out"
                )
            found |= dict.fromkeys(model.by_modality(), model)
        return {m: found[m] for m in Modality if m in found}

    @property
    def prefix_settings(self) -> PrefixSettings:
        """What a prefix cache must have been built with. Raises as :attr:`prefixes` does."""
        models = self.prefixes
        dtype = next(iter(models.values())).frozen_dtype or torch.float32  # the same for all
        return PrefixSettings(
            encoders={str(m): model.digests[m] for m, model in models.items()},
            blocks={str(m): model.prefix_blocks[m] for m, model in models.items()},
            dtype=str(dtype).removeprefix("torch."),
        )

    @cached_property
    def prefix_cache(self) -> PrefixReader:
        """
        Raises:
            FileNotFoundError: there is no finished prefix cache at ``clips.prefix``.
            ValueError: it was built with other preprocessing or by another model.
        """
        return PrefixReader(self.prefix_path, self.preprocessing, self.prefix_settings)

    @property
    def prefix_keys(self) -> PrefixKeys:
        """Under which keys samples' states are."""
        models = self.prefixes
        spec = models[Modality.LANGUAGE].by_modality()[Modality.LANGUAGE].spec if Modality.LANGUAGE in models else None
        assert spec is None or isinstance(spec, LanguageSpec)
        return PrefixKeys(modalities=list(models), clips=self.cache, text=spec, timed_text=self.task.timed_text)

    @cached_property
    def collate(self) -> Collate | PrefixCollate:
        """For the encoders that the network has, which may be fewer than the config's."""
        if "prefix" in self.config.clips:
            return PrefixCollate(self.prefix_cache, list(self.prefixes))
        specs = {modality: encoder.spec for modality, encoder in self.model.by_modality().items()}
        return Collate(specs, timed_text=self.task.timed_text)

    def dataset(self, split: Split) -> SampleDataset | PrefixDataset:
        """A split's samples, see :meth:`dataset_of`."""
        return self.dataset_of(self.task.samples(split))

    def dataset_of(self, samples: Sequence[Sample]) -> SampleDataset | PrefixDataset:
        """Samples with their clips, or with their states where the config names a prefix cache."""
        if "prefix" in self.config.clips:
            return PrefixDataset(samples, self.prefix_keys, self.prefix_cache)
        return SampleDataset(samples, self.cache)

    def loader(self, split: Split, dataset: SampleDataset | PrefixDataset) -> DataLoader[Any]:
        """Batches of a split: shuffled by seed and epoch for training, else in order. Shared out between ranks."""
        options = self.config.loader
        workers = options["workers"]
        return DataLoader(
            dataset,
            batch_size=options["batch_size"],
            sampler=DefaultSampler(dataset, shuffle=split == "train", seed=self.config.seed),
            num_workers=workers,
            collate_fn=self.collate,
            drop_last=False,
            pin_memory=torch.cuda.is_available(),
            persistent_workers=workers > 0,
        )

    def record(self) -> dict[str, Any]:
        """What an adapter folder must say for the model to be built again without the config."""
        return {
            "encoders": {m: described(f"encoders.{m}", s) for m, s in self.config.encoders.items()},
            "method": {"name": self.choice.name, **self.choice.options},
            "model": {key: value for key, value in plain(self.config.model).items() if key != "compile"},
            "task": {"name": described("task", self.config.task)["name"], **self.task.options()},
            "preprocessing": asdict(self.preprocessing),
        }
