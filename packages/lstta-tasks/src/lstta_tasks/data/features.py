"""Features from files in batches: which of them belong to a segment, and a data set that needs no clips."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from lstta_core.features import FeatureError, Features
from lstta_core.interfaces import TIMED, FeatureSpec, InputSpec, Modality
from lstta_tasks.data.clip import Clip, ClipSource
from lstta_tasks.sample import Sample

logger = logging.getLogger(__name__)


def feature_specs(specs: Mapping[Modality, InputSpec]) -> dict[Modality, FeatureSpec]:
    """Those of the encoders that read features."""
    return {m: spec for m, spec in specs.items() if isinstance(spec, FeatureSpec)}


def needs_clips(specs: Mapping[Modality, InputSpec]) -> bool:
    """Whether a model of these encoders sees pictures or hears sound, rather than features of both."""
    raw = [m for m in specs if m in TIMED and not isinstance(specs[m], FeatureSpec)]
    return bool(raw) or not feature_specs(specs)


def name_of(spec: FeatureSpec, sample: Sample) -> str:
    """The id under which a sample's features are."""
    if spec.named == "sample":
        return sample.id
    if spec.named == "clip":
        return sample.source.id
    file = sample.source.video or sample.source.sound
    assert file is not None  # see ClipSource
    return file.stem


def features_of(specs: Mapping[Modality, FeatureSpec], sample: Sample) -> dict[Modality, Features]:
    """A sample's features, on its clip's clock; without those that no file has.

    Raises:
        FeatureError: they cannot be used; or are of a whole video, and nothing says when their steps are.
    """
    found = {}
    for m, spec in specs.items():
        if (name := name_of(spec, sample)) not in spec.source.names():
            continue
        features, source = spec.source.read(name), sample.source
        if spec.named == "video" and (source.start is not None or source.end is not None):
            if features.times is None:
                raise FeatureError(
                    f"{spec.source.place}, {name!r}: clip {source.id!r} is a part of this video, and its features have "
                    f"no times: say encoders.{m}.seconds, how long a step lasts"
                )
            features = features.later(source.start or 0.0)
        found[m] = features
    return found


def length_of(source: ClipSource, features: Mapping[Modality, Features], segments: int) -> float:
    """Of a clip in seconds: what the annotations say, or when its features end. Where neither is known, a segment
    counts as a second."""
    if source.end is not None:
        return source.end - (source.start or 0.0)
    return max([end for one in features.values() if (end := one.end) is not None], default=0.0) or float(segments)


def blank_clip(features: Mapping[Modality, Features], duration: float, segments: int) -> Clip:
    """A clip that has features, and no pictures and no sound."""
    return Clip(
        frames=np.zeros((segments, 0, 0, 0, 3), np.uint8),
        frame_times=np.zeros((segments, 0)),
        sound=np.zeros((segments, 0), np.int16),
        sound_length=np.zeros(segments, np.int64),
        has_video=False,
        has_sound=False,
        duration=duration,
        features=features,
    )


def asked_clip(specs: Mapping[Modality, FeatureSpec], sample: Sample, clip: Clip | None, segments: int) -> Clip:
    """The clip of a question that no data set has, with its features. Those that are samples' go by the text.

    Args:
        specs: of the encoders that read features.
        sample: its source's id names the clip.
        clip: decoded; None where the model needs none.
        segments: T.

    Raises:
        FeatureError: no file has features of it.
    """
    asked = replace(sample, id=sample.text or "")
    features = features_of(specs, asked)
    timed = [m for m in specs if m in TIMED]
    lost = [] if clip is not None or features.keys() & set(timed) else timed
    if sample.text and Modality.LANGUAGE in specs.keys() - features.keys():
        lost = [*lost, Modality.LANGUAGE]
    for m in lost:
        specs[m].source.read(name_of(specs[m], asked))  # which says what is there
    if clip is not None:
        return replace(clip, features=features)
    return blank_clip(features, length_of(sample.source, features, segments), segments)


class FeatureDataset(Dataset[tuple[Sample, Clip]]):
    """The samples that have features, with clips that hold them.

    Args:
        samples: of one split.
        specs: of the encoders that read features.
        segments: T.
        clips: the same samples with their clips from a cache, where other encoders need these.

    Attributes:
        samples: those that have features of pictures or sound, or of texts where the model reads nothing else; with
            ``clips``, those that have a clip.
        missing: the ids of the clips of the others, each once, in order.

    Raises:
        FeatureError: a file has features of no sample.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        specs: Mapping[Modality, FeatureSpec],
        *,
        segments: int,
        clips: Dataset[tuple[Sample, Clip]] | None = None,
    ) -> None:
        self.specs = dict(specs)
        self.segments = segments
        self.clips = clips
        asked = [m for m in specs if m in TIMED] or list(specs)
        for m in specs:
            _tell_what_lacks(m, specs[m], samples)
        if clips is not None:
            self.samples: list[Sample] = clips.samples  # type: ignore[attr-defined]  # a SampleDataset's
            self.missing: list[str] = clips.missing  # type: ignore[attr-defined]
            return
        there = {m: specs[m].source.names() for m in asked}
        has = [any(name_of(specs[m], sample) in there[m] for m in asked) for sample in samples]
        self.samples = [sample for sample, known in zip(samples, has, strict=True) if known]
        self.missing = list(dict.fromkeys(s.source.id for s, known in zip(samples, has, strict=True) if not known))

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Sample, Clip]:
        return self._with_features(None if self.clips is None else self.clips[index][1], self.samples[index])

    def __getitems__(self, indices: Sequence[int]) -> list[tuple[Sample, Clip]]:
        """The items of a batch, for the loader."""
        if self.clips is None:
            return [self[index] for index in indices]
        items = self.clips.__getitems__(indices)  # type: ignore[attr-defined]
        return [self._with_features(clip, sample) for sample, clip in items]

    def _with_features(self, clip: Clip | None, sample: Sample) -> tuple[Sample, Clip]:
        features = features_of(self.specs, sample)
        if clip is not None:
            return sample, replace(clip, features=features)
        if sample.timed and sample.source.end is None and all(one.end is None for one in features.values()):
            raise FeatureError(
                f"{sample.source.id}: its texts have times, its features none, so nothing says which belong together: "
                "say how long a step lasts, with encoders.visual.seconds or encoders.audio.seconds"
            )
        duration = length_of(sample.source, features, self.segments)
        return sample, blank_clip(features, duration, self.segments)


def _tell_what_lacks(modality: Modality, spec: FeatureSpec, samples: Sequence[Sample]) -> None:
    names = list(dict.fromkeys(name_of(spec, sample) for sample in samples))
    there = spec.source.names()
    lacking = [name for name in names if name not in there]
    if lacking and len(lacking) == len(names):
        some = ", ".join(map(repr, list(there)[:3]))
        raise FeatureError(
            f"encoders.{modality}: {spec.source.place} has features of none of the {len(names):,} {spec.named}s of "
            f"this split, such as {names[0]!r}; it has those of {some}, …"
        )
    if lacking:
        logger.warning(
            "encoders.%s: %s has no features of %d of %d %ss, such as %r: the model takes that as absent there",
            *(modality, spec.source.place, len(lacking), len(names), spec.named, lacking[0]),
        )


def feature_inputs(modality: Modality, spec: FeatureSpec, clips: Sequence[Clip], *, timed: bool) -> dict[str, Tensor]:
    """What an encoder of features reads of clips: ``features`` (B, S, N, D), ``mask`` (B, S, N), ``present`` (B,).

    Args:
        modality: whose.
        spec: of the encoder.
        clips: that hold features.
        timed: whether there is a row a segment (S = T), or one (S = 1).
    """
    segments = len(clips[0].sound_length) if timed else 1
    features = np.zeros((len(clips), segments, spec.tokens, spec.width), np.float32)
    mask = np.zeros((len(clips), segments, spec.tokens), np.bool_)
    for row, clip in enumerate(clips):
        if modality not in clip.features:
            continue
        for segment, part in enumerate(parts_of(clip.features[modality], segments, clip.duration)):
            tokens = fewer(part, spec.tokens)
            features[row, segment, : len(tokens)] = tokens
            mask[row, segment, : len(tokens)] = True
    present = torch.from_numpy(mask.any((1, 2)))
    return {"features": torch.from_numpy(features), "mask": torch.from_numpy(mask), "present": present}


def parts_of(features: Features, segments: int, duration: float) -> list[NDArray[np.float32]]:
    """The steps of each segment, (k, N, D): those whose middle lies in it; where there is none, the one that lasts
    over its middle, if there is one.

    Args:
        features: of a clip.
        segments: T.
        duration: of the clip in seconds; of no matter where steps have no times.
    """
    count = len(features.values)
    if features.times is None:
        edges = np.arange(count + 1) / max(count, 1)
        begins, ends = edges[:-1], edges[1:]
    else:
        begins, ends = features.times.T / duration
    middles = (begins + ends) / 2
    place = np.floor(middles * segments).astype(np.int64)
    place[middles == 1] = segments - 1  # the very end
    parts = []
    for segment in range(segments):
        here = np.flatnonzero(place == segment)
        if not len(here):
            middle = (segment + 0.5) / segments
            here = np.flatnonzero((begins <= middle) & (middle < ends))[:1]
        parts.append(features.values[here])
    return parts


def fewer(steps: NDArray[np.float32], tokens: int) -> NDArray[np.float32]:
    """Steps (k, N, D) as at most ``tokens`` tokens (…, D): steps are averaged first, then tokens of a step."""
    count, each, width = steps.shape
    if count * each <= tokens:
        return steps.reshape(-1, width)
    kept = _means(steps, max(1, tokens // each)).reshape(-1, width)
    return _means(kept, tokens)


def _means(values: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """(k, …) in at most so many means of neighbours."""
    if len(values) <= most:
        return values
    starts = np.arange(most) * len(values) // most
    sizes = np.diff(np.append(starts, len(values))).reshape(-1, *(1 for _ in values.shape[1:]))
    return (np.add.reduceat(values, starts, axis=0) / sizes).astype(np.float32)
