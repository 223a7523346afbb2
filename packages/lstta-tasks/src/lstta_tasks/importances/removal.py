"""Segments that are taken out of clips: encoders get nothing to see and to hear there, adapters and readout no tokens.

Both are needed. An encoder that reads clips as wholes spreads what it sees over all tokens, so the input is blank; and
black frames or silence are not nothing, so the layout says that their tokens belong to no segment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from lstta_core.interfaces import EncoderState, Inputs, Modality
from lstta_core.lockstep import States

Segments = Mapping[Modality, Tensor]
"""(B, T), bool, for sight and for sound."""


def seen_segments(inputs: Inputs) -> dict[Modality, Tensor]:
    """Which segments hold anything, (B, T) bool, of the modalities of a batch of clips."""
    seen = {}
    if Modality.VISUAL in inputs:
        visual = inputs[Modality.VISUAL]
        seen[Modality.VISUAL] = visual["mask"].any(-1) & visual["present"][:, None]
    if Modality.AUDIO in inputs:
        audio = inputs[Modality.AUDIO]
        seen[Modality.AUDIO] = (audio["length"] > 0) & audio["present"][:, None]
    return seen


def kept_segments(scores: Tensor, seen: Tensor, *, removed: int, highest: bool) -> Tensor:
    """(B, T) bool: the segments that are left when ``removed`` of those that are seen are taken out.

    Args:
        scores: (B, T).
        seen: (B, T), bool.
        removed: how many; one is always left where there was one.
        highest: whether those of the highest score go first, or those of the lowest. Of equals the earlier goes.
    """
    order = (-scores if highest else scores).masked_fill(~seen, float("inf")).argsort(dim=1, stable=True)
    rank = order.argsort(dim=1)
    gone = (seen.sum(1, keepdim=True) - 1).clamp(min=0, max=removed)
    return seen & (rank >= gone)


def blanked(inputs: Inputs, kept: Segments) -> dict[Modality, dict[str, Any]]:
    """The batch with black frames and silence in all segments but those that are kept."""
    changed = {Modality(m): dict(given) for m, given in inputs.items()}
    for modality, name in ((Modality.VISUAL, "frames"), (Modality.AUDIO, "sound")):
        if modality in kept:
            values = changed[modality][name]
            mask = kept[modality].reshape(*kept[modality].shape, *(1 for _ in values.shape[2:]))
            changed[modality][name] = torch.where(mask, values, torch.zeros_like(values))
    return changed


def hidden(states: States, kept: Segments) -> States:
    """The states with all tokens of other segments than those that are kept in no segment."""
    return {m: _hidden(state, kept[m]) if m in kept else state for m, state in states.items()}


def _hidden(state: EncoderState, kept: Tensor) -> EncoderState:
    segment = state.layout.segment
    by_clip = segment.reshape(len(kept), -1)
    stays = kept.gather(1, by_clip.clamp(min=0))
    cut = torch.where(stays, by_clip, -1).view_as(segment)
    return replace(state, layout=replace(state.layout, segment=cut))
