"""What the other streams have come to, for a method that reads them inside an encoder's blocks.

It lies in the state's extras, one entry a stage and modality, so that an answer that goes on later finds it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from lstta_core.attention import masked_mean
from lstta_core.interfaces import EncoderState, Modality, Stream
from lstta_core.masks import to_stream

CONTEXT = "context."
"""How the names of these extras begin; the stage and the modality follow."""


def told(
    index: int, states: Mapping[Modality, EncoderState], present: Mapping[Modality, Tensor]
) -> dict[Modality, EncoderState]:
    """The states, each with what the others have come to at the stage before stage ``index``.

    That is the mean of the tokens that adapters may read, so never of an answer; for each row over those segments that
    the row has tokens of. A text of the whole clip is one segment, which everything reads, and reads all.

    Args:
        index: of the stage whose blocks are to run.
        states: that they start from, of all encoders.
        present: (B,), bool, by modality.
    """
    means = {m: _mean(to_stream(state, state.tokens, present[m])) for m, state in states.items()}
    return {m: _with_context(index, state, {o: means[o] for o in states if o != m}) for m, state in states.items()}


def _context_of(index: int, state: EncoderState) -> dict[Modality, Tensor]:
    """By modality (R, E), E its width: what :func:`told` has left in the state for this stage's blocks."""
    prefix = f"{CONTEXT}{index}."
    names = [name for name in state.extras if name.startswith(prefix)]
    return {Modality(name.removeprefix(prefix)): state.extras[name] for name in names}


@contextmanager
def hearing(
    hear: Callable[[Mapping[Modality, Tensor]], None] | None, index: int, state: EncoderState
) -> Iterator[None]:
    """Around this stage's blocks of one encoder: what is in its state is told, and taken back behind them."""
    if hear is None:
        yield
        return
    hear(_context_of(index, state))
    try:
        yield
    finally:
        hear({})


def _mean(stream: Stream) -> tuple[Tensor, Tensor]:
    """(B, S, D), of each segment's tokens, and whether there are any, (B, S)."""
    precise = torch.promote_types(stream.tokens.dtype, torch.float32)
    return masked_mean(stream.tokens.to(precise), stream.mask, 2), stream.mask.any(2)


def _with_context(index: int, state: EncoderState, others: Mapping[Modality, tuple[Tensor, Tensor]]) -> EncoderState:
    layout = state.layout
    own = torch.arange(layout.segments, device=layout.segment.device)
    has = (layout.segment[..., None] == own).any(1).unflatten(0, (-1, layout.rows_per_clip))  # (B, rows, S)
    context = {}
    for modality, (mean, seen) in others.items():
        reads = seen[:, None] & has if mean.shape[1] == layout.segments else seen[:, None].expand(-1, has.shape[1], -1)
        share = reads.to(mean.dtype) / reads.sum(-1, keepdim=True).clamp(min=1)
        context[f"{CONTEXT}{index}.{modality}"] = (share @ mean).flatten(0, 1)
    return EncoderState(state.tokens, state.mask, layout, {**state.extras, **context}, state.answer)
