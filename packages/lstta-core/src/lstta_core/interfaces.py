"""The contracts: modality, stream, encoder, adapter, method. Everything else in the system is written against these.

Shape legend, used in all of core:

    B  clips in the batch            T  segments of a clip (video and sound)
    S  segments of a stream (T, or 1 for a text that belongs to the whole clip)
    N  tokens of one segment         D  width of an encoder's tokens
    R  rows an encoder works on (clips, segments or frames: its own choice)
    M  tokens of one row, class and padding tokens included
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

import torch
from torch import Tensor, nn

from lstta_core.layout import Layout


class Modality(StrEnum):
    """The three kinds of input. The order of the members is the order in which core runs the encoders."""

    VISUAL = "visual"
    AUDIO = "audio"
    LANGUAGE = "language"


TIMED = (Modality.VISUAL, Modality.AUDIO)
"""The modalities whose streams always have all T segments of the clip."""


@dataclass(frozen=True)
class Stream:
    """The tokens of one modality as adapters see them.

    Attributes:
        tokens: (B, S, N, D), floating point. Values under a false mask are unspecified and must not matter.
        mask: (B, S, N), bool, true for tokens that adapters may read and change.
        present: (B,), bool, false for clips that do not have this modality. Where it is false the mask is false too.
    """

    tokens: Tensor
    mask: Tensor
    present: Tensor

    def with_tokens(self, tokens: Tensor) -> Stream:
        """The same stream with other token values of the same shape (B, S, N, D)."""
        if tokens.shape != self.tokens.shape:
            raise ValueError(
                f"an adapter may not change the shape of a stream: it was {tuple(self.tokens.shape)}, "
                f"it would become {tuple(tokens.shape)}"
            )
        return replace(self, tokens=tokens)


Streams = dict[Modality, Stream]


@dataclass(frozen=True)
class EncoderState:
    """What one block of an encoder hands to the next.

    Attributes:
        tokens: (R, M, D).
        mask: (R, M), bool, true for tokens that hold content (not padding).
        layout: the segment of every token, see :class:`~lstta_core.layout.Layout`. May change from block to block.
        extras: what later blocks need besides the tokens: an attention mask, rotary tables, a position bias.
    """

    tokens: Tensor
    mask: Tensor
    layout: Layout
    extras: Mapping[str, Tensor] = field(default_factory=dict)

    def with_tokens(self, tokens: Tensor) -> EncoderState:
        """The same state with other token values of the same shape (R, M, D)."""
        return replace(self, tokens=tokens)


@dataclass(frozen=True)
class EncoderOutput:
    """What an encoder gives after its last block.

    Attributes:
        tokens: (R, M, D), as the encoder's own library returns them.
        pooled: (R, D') or None where the architecture has no pooled output.
    """

    tokens: Tensor
    pooled: Tensor | None = None


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


class Encoder(nn.Module, ABC):
    """A pretrained network of one modality, seen as embed → blocks → finish.

    Subclasses are final: they implement the three abstract methods, and nothing overrides those again. Raw input
    (uint8 frames, int16 sound, text ids) comes in, so that normalising and log-mels run where the weights are.
    ``finish`` of all blocks of ``embed`` must equal the original library's forward.

    Inputs are a dict of tensors as the spec's docstring says, and always ``present`` (B,) bool.

    Attributes:
        modality: which of the three it reads.
        widths: ``widths[i]`` is the width of the tokens *after* block i, merging included.
        spec: what collation must hand over.
        name: of the weights, such as a hub id; None where nothing is said. An adapter's card shows these three.
        revision: of the weights, such as a commit.
        licence: of the weights.
    """

    modality: Modality
    widths: tuple[int, ...]
    spec: InputSpec
    name: str | None = None
    revision: str | None = None
    licence: str | None = None

    @property
    def depth(self) -> int:
        """The number of blocks."""
        return len(self.widths)

    @abstractmethod
    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        """Raw input to the state before block 0."""

    @abstractmethod
    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        """The state after block ``index`` (0 ≤ index < depth)."""

    @abstractmethod
    def finish(self, state: EncoderState) -> EncoderOutput:
        """What comes after the last block: a final norm, pooling."""

    def block(self, index: int) -> nn.Module | None:
        """The module whose parameters nothing before block ``index`` reads (0 < index < depth); None if not known.

        A method that trains only such modules leaves the blocks before them frozen, so their states may be cached.
        """
        return None


@dataclass(frozen=True)
class Stage:
    """A place between blocks where the streams meet.

    Attributes:
        index: 1 … count.
        count: how many stages the model has in all, adapted or not.
        widths: the width of each modality's tokens there; a modality that the model lacks is not in it.
    """

    index: int
    count: int
    widths: Mapping[Modality, int]


@dataclass(frozen=True)
class AdapterOutput:
    """What an adapter returns.

    Attributes:
        streams: the same modalities, with the same shapes, as it was given.
        importances: (B, T) each, in (0, 2), 1 where nothing is said; empty where a method has none.
    """

    streams: Streams
    importances: Mapping[Modality, Tensor] = field(default_factory=dict)


class Adapter(nn.Module, ABC):
    """What is trained at one stage: reads the streams, returns streams of the same shapes.

    It changes the values of tokens, never their number; leaves tokens under a false mask as they are; and at
    initialisation returns its input exactly, so that a fresh model equals the frozen one.
    """

    @abstractmethod
    def forward(self, streams: Streams) -> AdapterOutput:
        """The streams after this stage."""


def _keep(on: bool) -> None:
    """Nothing to switch."""


@dataclass(frozen=True)
class EncoderChange:
    """What a method changes inside the encoders; by default nothing.

    Attributes:
        trainable: names of the encoders' parameters that train, as ``<modality>.<parameter name>``.
        modules: modules inside the encoders that follow ``train()`` and ``eval()`` (dropout); the rest stays in eval.
        switch: true puts the change into force; false takes all of it out of the encoders, which are then as before
            to the bit, with the same parameter names. Always called in turn.
    """

    trainable: tuple[str, ...] = ()
    modules: tuple[nn.Module, ...] = ()
    switch: Callable[[bool], None] = _keep


@dataclass(frozen=True)
class Size:
    """The option of a method that sets how many parameters it trains.

    Attributes:
        option: its name; more of it means more parameters.
        step: its values are multiples of this one.
    """

    option: str
    step: int = 1


class Method(ABC):
    """What a config names: it decides what trains.

    A method either puts adapters at stages (``lstta``, ``bottleneck``), or changes what trains inside the encoders
    (``lora``, ``full``), or neither (``none``).

    Attributes:
        size: the option that ``budget`` solves for, or None where the size of the method is fixed.
    """

    size: Size | None = None

    @abstractmethod
    def prepare(self, encoders: Mapping[Modality, Encoder]) -> EncoderChange:
        """Change the encoders, if that is what the method does, and return the change *switched off*.

        Args:
            encoders: frozen, and without any other method's change in force.
        """

    @abstractmethod
    def adapter(self, stage: Stage) -> Adapter | None:
        """The adapter at this stage, freshly initialised, or None."""


def check_streams(streams: Streams) -> None:
    """Raise a ValueError that names the modality, the attribute and both shapes where streams do not fit together."""
    batches = {modality: stream.tokens.shape[0] for modality, stream in streams.items()}
    if len(set(batches.values())) > 1:
        raise ValueError(f"the streams differ in batch size: {batches}")
    for modality, stream in streams.items():
        batch, segments, tokens, _ = stream.tokens.shape
        if stream.mask.shape != (batch, segments, tokens):
            raise ValueError(
                f"{modality} mask must have shape {(batch, segments, tokens)}, got {tuple(stream.mask.shape)}"
            )
        if stream.present.shape != (batch,):
            raise ValueError(f"{modality} present must have shape {(batch,)}, got {tuple(stream.present.shape)}")
        if stream.mask.dtype != torch.bool or stream.present.dtype != torch.bool:
            raise ValueError(f"{modality} mask and present must be bool")
