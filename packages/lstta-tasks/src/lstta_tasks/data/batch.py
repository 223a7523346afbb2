"""Batches: a task's samples with their clips from the cache, as one dict of tensors, made in the loader's workers.

Frames stay uint8 and sound int16 until they are on the device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from lstta_core.interfaces import TIMED, FeatureSpec, InputSpec, LanguageSpec, Modality
from lstta_tasks.data.cache import CacheReader
from lstta_tasks.data.cache_files import check_sources
from lstta_tasks.data.cache_shards import CacheSet
from lstta_tasks.data.clip import Clip
from lstta_tasks.data.features import feature_inputs
from lstta_tasks.data.timed_text import texts_by_segment
from lstta_tasks.task import Sample

Batch = dict[str, Any]


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
        CacheError: clips in the cache are of other files than those of the samples.
    """

    def __init__(self, samples: Sequence[Sample], reader: CacheReader | CacheSet) -> None:
        self.reader = reader
        self.samples = [sample for sample in samples if sample.source.id in reader]
        self.missing = list(dict.fromkeys(s.source.id for s in samples if s.source.id not in reader))
        if not self.samples:
            raise ValueError(
                f"none of the {len(self.missing)} clips of this split is in the cache {reader.path} (clips.cache): "
                "build it from the same config with lstta cache build, and see its list of failures with lstta cache "
                "info"
            )
        check_sources(reader, (sample.source for sample in self.samples))

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Sample, Clip]:
        sample = self.samples[index]
        return sample, self.reader.read(sample.source.id)

    def __getitems__(self, indices: Sequence[int]) -> list[tuple[Sample, Clip]]:
        """The items of a batch, for the loader: their frames lie side by side in one array, their sounds in another.

        So :class:`Collate` has nothing to copy any more.
        """
        sizes = self.reader.preprocessing
        shape = (len(indices), sizes.segments, sizes.frames_per_segment, *sizes.frame_size, 3)
        frames = np.empty(shape, np.uint8)
        sound = np.empty((len(indices), sizes.segments, sizes.sound_samples), np.int16)
        samples = [self.samples[index] for index in indices]
        return [
            (sample, self.reader.read(sample.source.id, frames[place], sound[place]))
            for place, sample in enumerate(samples)
        ]


class Collate:
    """Assembles what the encoders' specs ask for.

    A batch has ``inputs`` (by modality, the tensors that :mod:`lstta_core.interfaces` names in the specs, and
    ``present``), ``target`` (B,), or (B, L) where targets are rows of numbers, and ``ids``, the samples' ids.

    Args:
        specs: of the model's encoders.
        timed_text: whether texts have a row for each segment (S = T), or one for the clip (S = 1). A batch never
            decides this by itself: what a sample gives must not depend on its neighbours.
    """

    def __init__(self, specs: Mapping[Modality, InputSpec], *, timed_text: bool = False) -> None:
        self.specs = dict(specs)
        self.timed_text = timed_text

    def __call__(self, items: Sequence[tuple[Sample, Clip]]) -> Batch:
        samples, clips = zip(*items, strict=True)
        inputs: dict[str, dict[str, Tensor]] = {}
        for m, spec in self.specs.items():
            if isinstance(spec, FeatureSpec):
                inputs[m] = feature_inputs(m, spec, clips, timed=m in TIMED or self.timed_text)
            elif isinstance(spec, LanguageSpec):
                answers = [next(iter(sample.answers), None) for sample in samples] if spec.answer else None
                inputs[m] = language_inputs([self._texts(*item) for item in items], spec, answers=answers)
            else:
                inputs[m] = visual_inputs(clips) if m is Modality.VISUAL else audio_inputs(clips)
        target = torch.tensor([sample.target for sample in samples])
        return {"inputs": inputs, "target": target, "ids": [sample.id for sample in samples]}

    def _texts(self, sample: Sample, clip: Clip) -> list[str | None]:
        if self.timed_text:
            return texts_by_segment(sample, duration=clip.duration, segments=clip.sound.shape[0])
        return [sample.text]


def visual_inputs(clips: Sequence[Clip]) -> dict[str, Tensor]:
    """What a visual encoder reads of the clips."""
    present = torch.tensor([clip.has_video for clip in clips])
    frames = _joined([clip.frames for clip in clips])
    return {"frames": frames, "mask": present[:, None, None].expand(frames.shape[:3]), "present": present}


def audio_inputs(clips: Sequence[Clip]) -> dict[str, Tensor]:
    """What an audio encoder reads of the clips."""
    return {
        "sound": _joined([clip.sound for clip in clips]),
        "length": torch.from_numpy(np.stack([clip.sound_length for clip in clips])),
        "present": torch.tensor([clip.has_sound for clip in clips]),
    }


def _joined(parts: Sequence[NDArray[Any]]) -> Tensor:
    """The parts as one tensor: without a copy where they lie side by side in one array, as a dataset's batch does."""
    whole = parts[0].base
    if isinstance(whole, np.ndarray) and whole.shape == (len(parts), *parts[0].shape):
        places = [part.ctypes.data - whole.ctypes.data for part in parts]
        if places == [place * parts[0].nbytes for place in range(len(parts))]:
            return torch.from_numpy(whole)
    return torch.from_numpy(np.stack(parts))


def language_inputs(
    texts: Sequence[Sequence[str | None]],
    spec: LanguageSpec,
    *,
    at_least: int = 1,
    answers: Sequence[str | None] | None = None,
) -> dict[str, Tensor]:
    """Texts by clip and segment, (B, S), to ids and mask (B, S, L) of the batch's longest; shorter ones are padded.

    Where an encoder that speaks is given answers, they stand right behind the last text, and ``answer`` tells them.
    """
    ids = [[[] if text is None else spec.tokenize(text)[: spec.max_length] for text in rows] for rows in texts]
    said = [[] if answer is None or spec.answer is None else spec.answer(answer) for answer in answers or ()]
    prompts = torch.tensor([[len(row) for row in rows] for rows in ids])
    for rows, words in zip(ids, said, strict=False):
        rows[-1] = rows[-1] + words
    longest = max(at_least, *(len(row) for rows in ids for row in rows))
    padded = torch.tensor([[row + [spec.pad_id] * (longest - len(row)) for row in rows] for rows in ids])
    length = torch.tensor([[len(row) for row in rows] for rows in ids])
    mask = torch.arange(longest) < length[..., None]
    inputs = {"ids": padded, "mask": mask, "present": (length > 0).any(1)}
    if any(said):
        inputs["answer"] = mask & (torch.arange(longest) >= prompts[..., None])
    return inputs
