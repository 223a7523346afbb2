"""Streams of a batch stage by stage: their masks, and what adapters make of them, while these stay the same."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from torch import Tensor

from lstta_core.interfaces import Adapter, EncoderState, Modality, Stream, Streams


class Masks:
    """The masks of a batch, made once as long as encoders leave layout and mask of their states as they are.

    Args:
        present: (B,), bool, by modality.
    """

    def __init__(self, present: Mapping[Modality, Tensor]) -> None:
        self.present = present
        self._made_of: dict[Modality, tuple[object, ...]] = {}
        self._masks: dict[Modality, tuple[Tensor, Tensor | None]] = {}
        self._plans: dict[Hashable, Any] = {}

    def streams(self, states: Mapping[Modality, EncoderState], carried: Mapping[Modality, Tensor | None]) -> Streams:
        """The states as adapters see them, with what the adapter before has left."""
        streams = {}
        for modality, state in states.items():
            made_of = (state.mask, state.layout, state.answer)
            before = self._made_of.get(modality, (None, None, None))
            if any(one is not other for one, other in zip(made_of, before, strict=True)):
                self._made_of[modality] = made_of
                self._masks[modality] = stream_masks(state, self.present[modality])
                self._plans.clear()
            tokens = state.layout.to_segments(state.tokens)
            mask, answer = self._masks[modality]
            streams[modality] = Stream(tokens, mask, self.present[modality], carried.get(modality), answer)
        return streams

    def plan(self, adapter: Adapter, streams: Streams) -> Any:
        """What the adapter makes of the masks of these streams, the last that :meth:`streams` gave."""
        key = adapter.plan_key
        if key is None:
            return adapter.plan(streams)
        if key not in self._plans:
            with torch.no_grad():
                self._plans[key] = adapter.plan(streams)
        return self._plans[key]


def to_stream(state: EncoderState, tokens: Tensor, present: Tensor) -> Stream:
    """A state's tokens (or others of the same rows) as adapters see them; absent clips have no true mask."""
    mask, answer = stream_masks(state, present)
    return Stream(state.layout.to_segments(tokens), mask, present, answer=answer)


def stream_masks(state: EncoderState, present: Tensor) -> tuple[Tensor, Tensor | None]:
    """(B, S, N), bool: what adapters may read and change; and the answer, which nothing but itself may read."""
    mask = state.layout.mask(state.mask) & present[:, None, None]
    if state.answer is None:
        return mask, None
    answer = state.layout.mask(state.mask & state.answer) & present[:, None, None]
    return mask & ~answer, answer
