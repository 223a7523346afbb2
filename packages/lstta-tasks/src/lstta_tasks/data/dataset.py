"""A task's samples with their clips from the cache."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch.utils.data import Dataset

from lstta_tasks.data.cache import CacheReader, CacheSet
from lstta_tasks.data.clip import Clip
from lstta_tasks.task import Sample


class SampleDataset(Dataset[tuple[Sample, Clip]]):
    """The samples whose clip is in the cache.

    Args:
        samples: of one split.
        reader: of the cache.

    Attributes:
        samples: those that have a clip; item i is ``samples[i]`` and its clip.
        missing: the ids of the clips that are not in the cache, each once, in order.

    Raises:
        ValueError: no sample has a clip.
    """

    def __init__(self, samples: Sequence[Sample], reader: CacheReader | CacheSet) -> None:
        self.reader = reader
        self.samples = [sample for sample in samples if sample.source.id in reader]
        self.missing = list(dict.fromkeys(s.source.id for s in samples if s.source.id not in reader))
        if not self.samples:
            raise ValueError(
                f"none of the {len(self.missing)} clips of this split is in the cache: build it from the "
                "same config with tools/cache.py build, and see its list of failures with tools/cache.py info"
            )

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Sample, Clip]:
        sample = self.samples[index]
        return sample, self.reader.read(sample.source.id)

    def __getitems__(self, indices: Sequence[int]) -> list[tuple[Sample, Clip]]:
        """The items of a batch, for the loader: their frames lie side by side in one array, their sounds in another.

        So :class:`~lstta_tasks.data.collate.Collate` has nothing to copy any more.
        """
        kept = self.reader.preprocessing
        shape = (len(indices), kept.segments, kept.frames_per_segment, *kept.frame_size, 3)
        frames = np.empty(shape, np.uint8)
        sound = np.empty((len(indices), kept.segments, kept.sound_samples), np.int16)
        samples = [self.samples[index] for index in indices]
        return [
            (sample, self.reader.read(sample.source.id, frames[place], sound[place]))
            for place, sample in enumerate(samples)
        ]
