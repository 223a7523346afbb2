"""The contracts: modality, stream, encoder, adapter, method. Everything else in the system is written against these.

Shape legend, used in all of core:

    B  clips in the batch            T  segments of a clip (video and sound)
    S  segments of a stream (T, or 1 for a text that belongs to the whole clip)
    N  tokens of one segment         D  width of an encoder's tokens
    R  rows an encoder works on (clips, segments or frames: its own choice)
    M  tokens of one row, class and padding tokens included
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import torch
from torch import Tensor, nn

from lstta_core.adapter import Adapter as Adapter
from lstta_core.adapter import AdapterOutput as AdapterOutput
from lstta_core.adapter import Size as Size
from lstta_core.adapter import Stage as Stage
from lstta_core.encoder import AudioSpec as AudioSpec
from lstta_core.encoder import Encoder as Encoder
from lstta_core.encoder import InputSpec as InputSpec
from lstta_core.encoder import LanguageSpec as LanguageSpec
from lstta_core.encoder import VisualSpec as VisualSpec
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


def _nothing_to_switch(on: bool) -> None:
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
    switch: Callable[[bool], None] = _nothing_to_switch


class Method:
    """What a config names: it decides what trains.

    A method either puts adapters at stages (``lstta``, ``bottleneck``), or changes what trains inside the encoders
    (``lora``, ``full``), or neither (``none``). It overrides what it does and leaves the other as it is: the one
    exception to 'abstract or final', since nearly every method would have to say that it does not do the other.

    Attributes:
        size: the option that ``budget`` solves for, or None where the size of the method is fixed.
    """

    size: Size | None = None

    def prepare(self, encoders: Mapping[Modality, Encoder]) -> EncoderChange:
        """Change the encoders, if that is what the method does, and return the change *switched off*; else no change.

        Args:
            encoders: frozen, and without any other method's change in force.
        """
        return EncoderChange()

    def adapter(self, stage: Stage) -> Adapter | None:
        """The adapter at this stage, freshly initialised; None, as it is here, for none."""
        return None


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
