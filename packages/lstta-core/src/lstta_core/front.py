"""Tokens in front of every row, from the first adapted stage to the last: what prompt tuning trains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from lstta_core.interfaces import Encoder, EncoderState, Modality
from lstta_core.streams import Layout

States = dict[Modality, EncoderState]


def with_front(states: States, front: Mapping[Modality, Tensor], encoders: Mapping[Modality, Encoder]) -> States:
    """The states with these tokens before their own: content that belongs to no segment, the same in every row.

    Args:
        states: of all encoders.
        front: (P, D) by modality; of those that get some.
        encoders: whose states they are.

    Raises:
        ValueError: an encoder's blocks fix the number of tokens.
    """
    return {m: _more(m, state, front[m], encoders[m]) if m in front else state for m, state in states.items()}


def without_front(after: States, before: States) -> States:
    """The states behind the last block as if nothing had stood in front: ``before`` with their tokens."""
    return {m: before[m].with_tokens(state.tokens[:, -before[m].tokens.shape[1] :]) for m, state in after.items()}


def run_block(encoder: Encoder, index: int, state: EncoderState, bare: EncoderState | None) -> EncoderState:
    """The state after a block; after the last one without what stands in front, if ``bare``, the one without, is given.

    What becomes of those tokens in the last block is read by nothing, so an encoder may leave it out.
    """
    count = 0 if bare is None else state.tokens.shape[1] - bare.tokens.shape[1]
    if bare is None or count == 0 or index < encoder.depth - 1:
        return encoder.run_block(index, state)
    return bare.with_tokens(encoder.last_block_behind(state, count))


def _more(modality: Modality, state: EncoderState, front: Tensor, encoder: Encoder) -> EncoderState:
    count = len(front)
    extras = encoder.more_tokens(state.extras, count)
    if extras is None:
        raise ValueError(refusal(modality, encoder))
    tokens = torch.cat([front.to(state.tokens.dtype).expand(len(state.tokens), -1, -1), state.tokens], 1)
    mask = F.pad(state.mask, (count, 0), value=True)
    answer = None if state.answer is None else F.pad(state.answer, (count, 0), value=False)
    return EncoderState(tokens, mask, _moved(state.layout, count), extras, answer)


def refusal(modality: Modality, encoder: Encoder) -> str:
    """Why an encoder takes no tokens in front."""
    return (
        f"prompt: the blocks of the {modality} encoder {type(encoder).__name__} fix the number of tokens, or it does "
        "not say otherwise (Encoder.more_tokens): leave it out of method.modalities, or take another method"
    )


def _moved(layout: Layout, count: int) -> Layout:
    """The layout of rows with so many tokens of no segment in front."""
    tokens = layout.segment.shape[1]
    segment = F.pad(layout.segment, (count, 0), value=-1)
    index, filled = layout.index, layout.filled
    if index is None:
        if layout.rows_per_clip % layout.segments == 0:
            return replace(layout, segment=segment)
        clips = len(segment) // layout.rows_per_clip
        places = torch.arange(layout.rows_per_clip * tokens, device=segment.device)
        index = places.view(1, layout.segments, -1).expand(clips, -1, -1)
        filled = torch.ones_like(index, dtype=torch.bool)
    index = index + count * (index // tokens + 1)
    return Layout(segment, layout.segments, layout.rows_per_clip, index, filled)
