"""A task's samples with the states of their clips and texts from a feature cache, and batches of those."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch.utils.data import Dataset

from lstta_core.interfaces import LanguageSpec, Modality
from lstta_core.states import crop_state, join_states
from lstta_tasks.data.cache import CacheReader, CacheSet
from lstta_tasks.data.cache_layout import CacheError
from lstta_tasks.data.collate import Batch
from lstta_tasks.data.features import FeatureReader, SharedState, StoredState, clip_key, text_key
from lstta_tasks.task import Sample

States = dict[Modality, StoredState]


class FeatureKeys:
    """Under which keys a sample's states are.

    Args:
        modalities: of the model.
        clips: the clips' cache, whose checksums say what the states were made of.
        text: the language encoder's spec, where there is one.
    """

    def __init__(
        self, *, modalities: Sequence[Modality], clips: CacheReader | CacheSet, text: LanguageSpec | None
    ) -> None:
        self.modalities = tuple(modalities)
        self.clips = clips
        self.text = text

    def ids(self, text: str | None) -> list[int]:
        """The token ids of a sample's text; none where it has no text."""
        assert self.text is not None
        return [] if text is None else self.text.tokenize(text)[: self.text.max_length]

    def __call__(self, sample: Sample) -> dict[Modality, str]:
        """
        Raises:
            KeyError: the clip is not in the clips' cache.
        """
        checksum = self.clips.checksum(sample.source.id)
        return {
            m: text_key(self.ids(sample.text)) if m is Modality.LANGUAGE else clip_key(m, checksum)
            for m in self.modalities
        }


class FeatureDataset(Dataset[tuple[Sample, States]]):
    """The samples whose clip is in the clips' cache, with their states.

    Args:
        samples: of one split.
        keys: of their states.
        reader: of the feature cache.

    Attributes:
        samples: those that have a clip.
        missing: the ids of the clips that are not in the clips' cache, each once, in order.

    Raises:
        ValueError: no sample has a clip.
        CacheError: the feature cache lacks the state of a clip or text.
    """

    def __init__(self, samples: Sequence[Sample], keys: FeatureKeys, reader: FeatureReader) -> None:
        self.reader = reader
        self.samples = [sample for sample in samples if sample.source.id in keys.clips]
        self.missing = list(dict.fromkeys(s.source.id for s in samples if s.source.id not in keys.clips))
        if not self.samples:
            raise ValueError(f"none of the {len(self.missing)} clips of this split is in the cache {keys.clips.path}")
        self._keys = [keys(sample) for sample in self.samples]
        lacking = {key for places in self._keys for key in places.values() if key not in reader}
        if lacking:
            raise CacheError(
                f"{reader.path} lacks the states of {len(lacking)} clips or texts, such as {min(lacking)}: "
                "run tools/cache.py features with this config once more"
            )

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Sample, States]:
        return self.samples[index], {m: self.reader.state(key) for m, key in self._keys[index].items()}


class FeatureCollate:
    """Batches as :class:`~lstta_tasks.data.collate.Collate` makes them, with ``state`` in place of raw inputs.

    Args:
        reader: of the feature cache.
        modalities: of the model.
    """

    def __init__(self, reader: FeatureReader, modalities: Sequence[Modality]) -> None:
        self.reader = reader
        self.modalities = tuple(modalities)

    @cached_property
    def _shared(self) -> dict[Modality, SharedState]:
        return {m: self.reader.shared(m) for m in self.modalities}

    def __call__(self, items: Sequence[tuple[Sample, States]]) -> Batch:
        inputs = {}
        for m in self.modalities:
            found = [states[m] for _, states in items]
            joined = join_states([stored.state for stored in found], self._shared[m].extras)
            if m is Modality.LANGUAGE:  # as long as the longest of the batch, like raw texts
                joined = crop_state(joined, max(1, *(stored.length for stored in found)), self._shared[m].token_axes)
            inputs[m] = {"state": joined, "present": torch.tensor([stored.present for stored in found])}
        target = torch.tensor([sample.target for sample, _ in items])
        return {"inputs": inputs, "target": target, "ids": [sample.id for sample, _ in items]}
