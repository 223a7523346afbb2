"""Encoders' states outside the lockstep model: put together to batches, moved to a device."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from lstta_core.interfaces import EncoderState
from lstta_core.streams import Layout


def join_states(states: Sequence[EncoderState], shared: Mapping[str, Tensor]) -> EncoderState:
    """The state of a batch from those of its clips.

    Args:
        states: of one encoder and one stage, with equally many tokens a row; without what is in ``shared``.
        shared: extras that are the same for every batch, such as rotary tables.
    """
    first = states[0].layout
    extras = {name: torch.cat([state.extras[name] for state in states]) for name in states[0].extras}
    index, filled = (_padded([getattr(state.layout, part) for state in states]) for part in ("index", "filled"))
    segment = torch.cat([state.layout.segment for state in states])
    answers = [state.answer for state in states if state.answer is not None]
    return EncoderState(
        tokens=torch.cat([state.tokens for state in states]),
        mask=torch.cat([state.mask for state in states]),
        layout=Layout(segment, first.segments, first.rows_per_clip, index, filled),
        extras={**extras, **shared},
        answer=torch.cat(answers) if len(answers) == len(states) else None,
    )


def move_state(state: EncoderState, device: torch.device) -> EncoderState:
    """The state on a device."""

    def moved(tensor: Tensor | None) -> Tensor | None:
        return None if tensor is None else tensor.to(device, non_blocking=True)

    layout = state.layout
    return EncoderState(
        tokens=state.tokens.to(device, non_blocking=True),
        mask=state.mask.to(device, non_blocking=True),
        layout=replace(
            layout,
            segment=layout.segment.to(device, non_blocking=True),
            index=moved(layout.index),
            filled=moved(layout.filled),
        ),
        extras={name: tensor.to(device, non_blocking=True) for name, tensor in state.extras.items()},
        answer=moved(state.answer),
    )


def crop_state(state: EncoderState, tokens: int, axes: Mapping[str, Sequence[int]]) -> EncoderState:
    """The state as if rows had been padded to fewer tokens; what is cut off has to be padding.

    Args:
        state: of a regular layout whose rows are segments.
        tokens: that are left of each row.
        axes: of each extra, those that count tokens, see :func:`token_axes`.
    """

    def cropped(name: str, tensor: Tensor) -> Tensor:
        for axis in axes.get(name, ()):
            tensor = tensor.narrow(axis, 0, tokens)
        return tensor

    return EncoderState(
        tokens=state.tokens[:, :tokens],
        mask=state.mask[:, :tokens],
        layout=replace(state.layout, segment=state.layout.segment[:, :tokens]),
        extras={name: cropped(name, tensor) for name, tensor in state.extras.items()},
        answer=None if state.answer is None else state.answer[:, :tokens],
    )


def as_segments(state: EncoderState, segments: int) -> EncoderState:
    """Texts as the segments of clips: rows that were a clip each become, in order, S rows of fewer clips.

    Args:
        state: of B · S rows, each the only segment of a clip of its own.
        segments: S.

    Raises:
        ValueError: a row is not all of a clip.
    """
    rows, layout = len(state.tokens), state.layout
    if layout.index is not None or (layout.segments, layout.rows_per_clip) != (1, 1):
        raise ValueError(
            f"only rows that are a clip each can become segments; these are {layout.segments} segments in "
            f"{layout.rows_per_clip} rows a clip"
        )
    own = torch.arange(segments, device=layout.segment.device).repeat(rows // segments)[:, None]
    return replace(state, layout=Layout.regular(torch.where(layout.segment < 0, -1, own), segments, segments))


def token_axes(one: EncoderState, shorter: EncoderState) -> dict[str, list[int]]:
    """The axes of each extra that count tokens, given the states of one text padded to two lengths."""
    return {
        name: [axis for axis, size in enumerate(tensor.shape) if size != shorter.extras[name].shape[axis]]
        for name, tensor in one.extras.items()
    }


def shared_extras(one: EncoderState, two: EncoderState) -> Collection[str]:
    """The names of extras that have no axis of rows, given the states of one clip and of that clip twice."""
    return [name for name, tensor in one.extras.items() if tensor.shape == two.extras[name].shape]


def _padded(parts: Sequence[Tensor | None]) -> Tensor | None:
    """(1, S, N) each, in one (B, S, N): a ragged layout is as wide as the longest segment of its batch."""
    present = [part for part in parts if part is not None]
    if not present:
        return None
    widest = max(part.shape[-1] for part in present)
    return torch.cat([F.pad(part, (0, widest - part.shape[-1])) for part in present])
