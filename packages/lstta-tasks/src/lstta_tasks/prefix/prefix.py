"""What a config says of its prefix cache: where it is, and what reads it in place of clips."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lstta_core.interfaces import LanguageSpec, Modality
from lstta_core.lockstep import TrimodalModel
from lstta_core.prefix import prefix_blocks
from lstta_tasks.data.features import feature_specs
from lstta_tasks.prefix.dataset import PrefixCollate, PrefixDataset, PrefixKeys
from lstta_tasks.prefix.prefix_cache import PrefixReader, PrefixSettings
from lstta_tasks.task import Sample

if TYPE_CHECKING:
    from lstta_tasks.experiment.parts import Experiment


class Prefix:
    """The part of an experiment that has to do with its frozen prefix; each piece is made when it is first asked for.

    Args:
        experiment: whose model, clips and preprocessing these are.
    """

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment

    @property
    def path(self) -> Path:
        """
        Raises:
            ValueError: the config names no prefix cache.
        """
        if "prefix" not in self._experiment.config.clips:
            raise ValueError("clips.prefix: it is missing; the path of the prefix cache's folder is wanted")
        return Path(self._experiment.config.clips.prefix)

    @cached_property
    def models(self) -> dict[Modality, TrimodalModel]:
        """The lockstep models whose prefixes a prefix cache holds, by the modalities that they read.

        Texts that are answered in words are not among these: they go through all blocks with their answers.

        Raises:
            ValueError: a prefix is not frozen, several models read a modality, or an encoder reads features.
        """
        if features := feature_specs(self._experiment.used):
            raise ValueError(
                f"clips.prefix: encoders.{next(iter(features))} reads features from a file, which is a prefix already: "
                "leave clips.prefix out"
            )
        models: dict[Modality, TrimodalModel] = {}
        for model in self._experiment.model.lockstep_models().values():
            if not model.prefix_is_frozen:
                raise ValueError(
                    f"clips.prefix: method {self._experiment.config.method['name']!r} trains inside the encoders, "
                    "before the first adapted stage; give it a target behind that, or leave clips.prefix out"
                )
            if again := [m for m in model.by_modality() if m in models]:
                raise ValueError(
                    f"clips.prefix: several towers of the task {self._experiment.task.name} read {again[0]}, as those "
                    "of a joint retrieval do: leave clips.prefix out"
                )
            models |= dict.fromkeys(model.by_modality(), model)
        kept = [m for m in models if m is not Modality.LANGUAGE or self._spoken is None]
        if not kept:
            raise ValueError("clips.prefix: the model neither sees nor hears, so nothing can be kept: leave it out")
        return {m: models[m] for m in Modality if m in kept}

    @property
    def _spoken(self) -> LanguageSpec | None:
        """Of the text where the answer is in words."""
        spec = self._experiment.used.get(Modality.LANGUAGE) if self._experiment.task.answer.words else None
        assert spec is None or isinstance(spec, LanguageSpec)
        return spec

    @property
    def settings(self) -> PrefixSettings:
        """What a prefix cache must have been built with. Raises as :attr:`models` does."""
        models = self.models
        dtype = next(iter(models.values())).frozen_dtype or torch.float32  # the same for all
        return PrefixSettings(
            encoders={str(m): model.digests[m] for m, model in models.items()},
            blocks={str(m): prefix_blocks(model)[m] for m, model in models.items()},
            dtype=str(dtype).removeprefix("torch."),
        )

    @cached_property
    def reader(self) -> PrefixReader:
        """
        Raises:
            FileNotFoundError: there is no finished prefix cache at ``clips.prefix``.
            ValueError: it was built with other preprocessing or by another model.
        """
        return PrefixReader(self.path, self._experiment.preprocessing, self.settings)

    @property
    def keys(self) -> PrefixKeys:
        """Under which keys samples' states are."""
        language = self.models.get(Modality.LANGUAGE)
        spec = None if language is None else language.by_modality()[Modality.LANGUAGE].spec
        assert spec is None or isinstance(spec, LanguageSpec)
        timed = self._experiment.task.timed_text
        return PrefixKeys(modalities=list(self.models), clips=self._experiment.cache, text=spec, timed_text=timed)

    @property
    def collate(self) -> PrefixCollate:
        """For the encoders that the network has, which may be fewer than the config's."""
        return PrefixCollate(self.reader, list(self.models), spoken=self._spoken)

    def dataset(self, samples: Sequence[Sample]) -> PrefixDataset:
        """Samples with the states of their clips and texts."""
        return PrefixDataset(samples, self.keys, self.reader)
