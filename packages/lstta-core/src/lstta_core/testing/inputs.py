"""Inputs for the checks: what collation would hand to an encoder, and streams as an adapter gets them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from lstta_core.interfaces import AudioSpec, FeatureSpec, InputSpec, LanguageSpec, Modality, Stream, Streams, VisualSpec

TEXTS = (
    "what plays first",
    "is the sound louder on the left than the one on the right",
    "yes",
    "how many instruments sound while the drum is seen",
    "where does the last one come from",
)


def synthetic_inputs(
    spec: InputSpec,
    *,
    batch: int = 3,
    segments: int = 5,
    text_segments: int = 1,
    ragged: bool = True,
    seed: int = 0,
    sound_seconds: float | None = None,
    text_length: int | None = None,
) -> dict[str, Tensor]:
    """A batch as the spec's docstring describes it.

    Args:
        spec: of the encoder.
        batch: B.
        segments: T, of frames and sound.
        text_segments: S, of a text.
        ragged: whether clips differ in length: clip b lacks its last b mod 3 segments, and its last segment is short.
        seed: of the random frames and sound.
        sound_seconds: of a segment; by default one, or less where the encoder hears no more.
        text_length: of every text, in ids; by default as long as some short sentences are.

    Returns:
        The tensors that the spec names, and ``present`` (B,) bool, all true. What is not filled is zero (texts: the
        pad id), as collation leaves it.

    Raises:
        ValueError: ``text_length`` is more than the encoder reads.
    """
    random = torch.Generator().manual_seed(seed)
    lengths = [segments - (b % 3 if ragged and segments > 2 else 0) for b in range(batch)]
    filled = torch.arange(segments) < torch.tensor(lengths)[:, None]
    match spec:
        case VisualSpec():
            tensors = _frames(spec, filled, random)
        case AudioSpec():
            tensors = _sound(spec, filled, ragged, random, sound_seconds)
        case LanguageSpec():
            tensors = _texts(spec, batch, text_segments, ragged, text_length)
        case FeatureSpec():
            tensors = _features(spec, filled, random)
    return {**tensors, "present": torch.ones(batch, dtype=torch.bool)}


def _frames(spec: VisualSpec, filled: Tensor, random: torch.Generator) -> dict[str, Tensor]:
    shape = (*filled.shape, spec.frames_per_segment, *spec.size, 3)
    frames = torch.randint(0, 256, shape, generator=random, dtype=torch.uint8)
    mask = filled[..., None].expand(shape[:3]).clone()
    return {"frames": frames * mask[..., None, None, None], "mask": mask}


def _features(spec: FeatureSpec, filled: Tensor, random: torch.Generator) -> dict[str, Tensor]:
    shape = (*filled.shape, spec.tokens)
    mask = filled[..., None].expand(shape).clone()
    return {"features": torch.randn(*shape, spec.width, generator=random) * mask[..., None], "mask": mask}


def _sound(
    spec: AudioSpec, filled: Tensor, ragged: bool, random: torch.Generator, seconds: float | None
) -> dict[str, Tensor]:
    batch, segments = filled.shape
    samples = _samples(spec, segments) if seconds is None else round(seconds * spec.sample_rate)
    sound = torch.randint(-8000, 8000, (batch, segments, samples), generator=random, dtype=torch.int16)
    length = filled.long() * samples
    if ragged:
        last = filled.long().cumsum(1).argmax(1)
        length[torch.arange(batch), last] -= (torch.arange(batch) % 2) * (samples // 4)
    heard = torch.arange(samples) < length[..., None]
    return {"sound": sound * heard, "length": length}


def _samples(spec: AudioSpec, segments: int) -> int:
    seconds = 1.0
    if spec.seconds is not None:
        # Room for as many segments again, so that a check may add empty ones.
        seconds = min(seconds, spec.seconds / (2 * segments) if spec.span == "clip" else spec.seconds)
    return int(seconds * spec.sample_rate)


def _texts(spec: LanguageSpec, batch: int, segments: int, ragged: bool, length: int | None) -> dict[str, Tensor]:
    if length is not None:
        ids = _text_of(length, spec).repeat(batch, segments, 1)
        return {"ids": ids, "mask": torch.ones_like(ids, dtype=torch.bool)}
    rows = [
        [spec.tokenize(TEXTS[(b + s) % len(TEXTS)] if ragged else TEXTS[0])[: spec.max_length] for s in range(segments)]
        for b in range(batch)
    ]
    longest = max(len(ids) for texts in rows for ids in texts)
    ids = torch.full((batch, segments, longest), spec.pad_id)
    mask = torch.zeros(batch, segments, longest, dtype=torch.bool)
    for b, texts in enumerate(rows):
        for s, text in enumerate(texts):
            ids[b, s, : len(text)] = torch.tensor(text)
            mask[b, s, : len(text)] = True
    return {"ids": ids, "mask": mask}


def _text_of(length: int, spec: LanguageSpec) -> Tensor:
    ids = spec.tokenize(" ".join(TEXTS * length))[: min(length, spec.max_length)]
    if len(ids) < length:
        raise ValueError(f"text_length={length}: the encoder reads at most {len(ids)} ids")
    return torch.tensor(ids)


def without_clips(inputs: Mapping[str, Tensor], spec: InputSpec, clips: list[int]) -> dict[str, Tensor]:
    """The inputs with these clips absent: nothing in them, and ``present`` false."""
    emptied = {name: tensor.clone() for name, tensor in inputs.items()}
    for name, tensor in emptied.items():
        tensor[clips] = spec.pad_id if isinstance(spec, LanguageSpec) and name == "ids" else 0
    return emptied


def synthetic_streams(
    widths: Mapping[Modality, int],
    *,
    batch: int = 3,
    segments: int = 5,
    text_segments: int = 1,
    tokens: Mapping[Modality, int] | None = None,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
) -> Streams:
    """Random streams with padding: some tokens of every clip, and the last segment of every second one.

    Args:
        widths: D of each modality; a modality that is not in it gets no stream.
        batch: B.
        segments: T.
        text_segments: S of the language stream.
        tokens: N of each modality; 7, 3 and 11 where nothing is said.
        seed: of everything random.
        dtype: of the tokens.
    """
    counts = {Modality.VISUAL: 7, Modality.AUDIO: 3, Modality.LANGUAGE: 11, **(tokens or {})}
    random = torch.Generator().manual_seed(seed)
    streams = {}
    for modality, width in widths.items():
        parts = text_segments if modality is Modality.LANGUAGE else segments
        shape = (batch, parts, counts[modality])
        values = torch.randn(*shape, width, generator=random, dtype=torch.float64)
        mask = torch.rand(shape, generator=random) < 0.8
        mask[..., 0] = True
        if parts > 1:
            mask[1::2, -1] = False
        streams[modality] = Stream(values.to(dtype), mask, torch.ones(batch, dtype=torch.bool))
    return streams


def absent(stream: Stream, clips: list[int]) -> Stream:
    """The stream with these clips absent."""
    mask, present = stream.mask.clone(), stream.present.clone()
    mask[clips] = False
    present[clips] = False
    return Stream(stream.tokens, mask, present)
