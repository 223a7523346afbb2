"""A task's samples with the states of their clips and texts from a prefix cache, and batches of those."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from torch.utils.data import Dataset

from lstta_core.interfaces import LanguageSpec, Modality
from lstta_core.states import as_segments, crop_state, join_states
from lstta_tasks.data.batch import Batch, language_inputs
from lstta_tasks.data.cache import CacheError, CacheReader
from lstta_tasks.data.cache_files import check_sources
from lstta_tasks.data.cache_shards import CacheSet
from lstta_tasks.data.timed_text import texts_by_segment
from lstta_tasks.prefix.prefix_cache import PrefixReader, SharedState, StoredState, clip_key, text_key
from lstta_tasks.task import Sample

States = dict[Modality, list[StoredState]]
"""Of one sample: of its clip, one; of its texts, one a row."""


class PrefixKeys:
    """Under which keys a sample's states are.

    Args:
        modalities: of the model.
        clips: the clips' cache, whose checksums say what the states were made of.
        text: the language encoder's spec, where there is one.
        timed_text: whether texts have a row for each segment.
    """

    def __init__(
        self,
        *,
        modalities: Sequence[Modality],
        clips: CacheReader | CacheSet,
        text: LanguageSpec | None,
        timed_text: bool = False,
    ) -> None:
        self.modalities = tuple(modalities)
        self.clips = clips
        self.text = text
        self.timed_text = timed_text
        self._of_texts: dict[str | None, str] = {}

    def ids(self, text: str | None) -> list[int]:
        """The token ids of a text; none where there is no text."""
        assert self.text is not None
        return [] if text is None else self.text.tokenize(text)[: self.text.max_length]

    def texts(self, sample: Sample) -> list[str | None]:
        """The texts of a sample, a row each, as :class:`~lstta_tasks.data.batch.Collate` has them.

        Raises:
            KeyError: texts are timed, and the clip is not in the clips' cache.
        """
        if not self.timed_text:
            return [sample.text]
        duration = self.clips.header(sample.source.id)["duration"]
        return texts_by_segment(sample, duration=duration, segments=self.clips.preprocessing.segments)

    def __call__(self, sample: Sample) -> dict[Modality, list[str]]:
        """One key for the clip's sight and one for its sound, and one for each of :meth:`texts`.

        Raises:
            KeyError: the clip is not in the clips' cache.
        """
        checksum = self.clips.checksum(sample.source.id)
        return {
            m: [self._text_key(text) for text in self.texts(sample)]
            if m is Modality.LANGUAGE
            else [clip_key(m, checksum)]
            for m in self.modalities
        }

    def _text_key(self, text: str | None) -> str:
        if text not in self._of_texts:
            self._of_texts[text] = text_key(self.ids(text))
        return self._of_texts[text]


class PrefixDataset(Dataset[tuple[Sample, States]]):
    """The samples whose clip is in the clips' cache, with their states.

    Args:
        samples: of one split.
        keys: of their states.
        reader: of the prefix cache.

    Attributes:
        samples: those that have a clip.
        missing: the ids of the clips that are not in the clips' cache, each once, in order.

    Raises:
        ValueError: no sample has a clip.
        CacheError: the prefix cache lacks the state of a clip or text, or clips in the clips' cache are of other files
            than those of the samples.
    """

    def __init__(self, samples: Sequence[Sample], keys: PrefixKeys, reader: PrefixReader) -> None:
        self.reader = reader
        self.samples = [sample for sample in samples if sample.source.id in keys.clips]
        self.missing = list(dict.fromkeys(s.source.id for s in samples if s.source.id not in keys.clips))
        if not self.samples:
            raise ValueError(f"none of the {len(self.missing)} clips of this split is in the cache {keys.clips.path}")
        check_sources(keys.clips, (sample.source for sample in self.samples))
        self._keys = [keys(sample) for sample in self.samples]
        wanted = {key for places in self._keys for keys_of_one in places.values() for key in keys_of_one}
        lacking = {key for key in wanted if key not in reader}
        if lacking:
            raise CacheError(
                f"{reader.path} lacks the states of {len(lacking)} clips or texts, such as {min(lacking)}: "
                "run lstta cache prefix with this config once more"
            )

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Sample, States]:
        states = {}
        for m, keys in self._keys[index].items():
            read = {key: self.reader.state(key) for key in set(keys)}
            states[m] = [read[key] for key in keys]
        return self.samples[index], states


class PrefixCollate:
    """Batches as :class:`~lstta_tasks.data.batch.Collate` makes them, with ``state`` in place of raw inputs.

    Args:
        reader: of the prefix cache.
        modalities: whose states it has.
        spoken: the language encoder's spec, where texts are prompts whose answer is in words: then they come as they
            are, with the first of their answers.
    """

    def __init__(
        self, reader: PrefixReader, modalities: Sequence[Modality], *, spoken: LanguageSpec | None = None
    ) -> None:
        self.reader = reader
        self.spoken = spoken
        self.modalities = tuple(modalities)

    @cached_property
    def _shared(self) -> dict[Modality, SharedState]:
        return {m: self.reader.shared(m) for m in self.modalities}

    def __call__(self, items: Sequence[tuple[Sample, States]]) -> Batch:
        inputs: dict[Modality, dict[str, Any]] = {}
        for m in self.modalities:
            of_samples = [states[m] for _, states in items]
            rows = [stored for of_one in of_samples for stored in of_one]
            joined = join_states([stored.state for stored in rows], self._shared[m].extras)
            if m is Modality.LANGUAGE:  # as long as the longest of the batch, like raw texts
                joined = crop_state(joined, max(1, *(stored.length for stored in rows)), self._shared[m].token_axes)
            if len(of_samples[0]) > 1:
                joined = as_segments(joined, len(of_samples[0]))
            present = [any(stored.present for stored in of_one) for of_one in of_samples]
            inputs[m] = {"state": joined, "present": torch.tensor(present)}
        if self.spoken is not None:
            answers = [next(iter(sample.answers), None) for sample, _ in items]
            texts = [[sample.text] for sample, _ in items]
            inputs[Modality.LANGUAGE] = language_inputs(texts, self.spoken, answers=answers)
        target = torch.tensor([sample.target for sample, _ in items])
        return {"inputs": inputs, "target": target, "ids": [sample.id for sample, _ in items]}
