"""What an encoder wants collation to hand over: one spec a modality. For the letters of shapes see ``interfaces``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class VisualSpec:
    """What a visual encoder wants: ``frames`` (B, T, F, H, W, 3) uint8, RGB, and ``mask`` (B, T, F) bool.

    Attributes:
        size: (height, width) of a frame in pixels.
        frames_per_segment: how many frames of a segment it reads (VideoMAE: the tubelet depth or a multiple).
        span: ``"segment"`` for rows of one segment or frame, ``"clip"`` for one row over all of a clip.
    """

    size: tuple[int, int]
    frames_per_segment: int = 1
    span: Literal["segment", "clip"] = "segment"


@dataclass(frozen=True)
class AudioSpec:
    """What an audio encoder wants: ``sound`` (B, T, n) int16, mono, and ``length`` (B, T) int64 valid samples.

    Attributes:
        sample_rate: in Hz.
        span: whether the encoder hears each segment by itself or the segments of a clip joined end to end.
        seconds: the fixed length of its input where the architecture has one (Whisper 30, AST 10.24), else None.
        padding_invariant: false where padding changes valid outputs (wav2vec types with group norm): such
            encoders need equal lengths in a batch.
    """

    sample_rate: int
    span: Literal["segment", "clip"] = "segment"
    seconds: float | None = None
    padding_invariant: bool = True


@dataclass(frozen=True)
class LanguageSpec:
    """What a language encoder wants: ``ids`` (B, S, L) int64 and ``mask`` (B, S, L) bool.

    Attributes:
        tokenize: text to token ids, special tokens included, at most ``max_length`` of them. Must be picklable,
            since texts are tokenised in the loader's workers.
        max_length: the most ids a text may have.
        pad_id: the id that fills ``ids`` where ``mask`` is false.
    """

    tokenize: Callable[[str], list[int]]
    max_length: int
    pad_id: int = 0


InputSpec = VisualSpec | AudioSpec | LanguageSpec
