"""Layouts whose tokens do not lie in order: the places of a segment's tokens, and the ways there and back.

Letters and attributes are those of :class:`~lstta_core.layout.Layout`.
"""

from __future__ import annotations

import torch
from torch import Tensor


def places(segment: Tensor, segments: int, rows_per_clip: int, width: int | None) -> tuple[Tensor, Tensor]:
    """The index and what is filled of it, (B, S, N) each. Arguments and errors: ``Layout.ragged``."""
    rows, tokens = segment.shape
    if rows % rows_per_clip:
        raise ValueError(f"{rows} rows do not divide into clips of {rows_per_clip} rows")
    clips = rows // rows_per_clip
    flat = segment.reshape(clips, rows_per_clip * tokens)
    counts = torch.stack([(flat == s).sum(1) for s in range(segments)], dim=1)  # (B, S)
    longest = max(int(counts.max()), 1) if counts.numel() else 1
    if width is None:
        width = longest
    elif longest > width:
        raise ValueError(f"a segment holds {longest} tokens, more than width={width}")
    # Sort stably by segment, −1 last: each segment's tokens come together, in their order.
    key = torch.where(flat < 0, segments, flat)
    order = key.argsort(dim=1, stable=True)
    start = counts.cumsum(1) - counts
    offset = torch.arange(width, device=segment.device)
    filled = offset < counts[..., None]
    place = (start[..., None] + offset).clamp(max=flat.shape[1] - 1)
    index = order.gather(1, place.flatten(1)).view_as(place)
    return torch.where(filled, index, 0), filled


def gathered(values: Tensor, index: Tensor) -> Tensor:
    """(R, M, …) to (B, S, N, …)."""
    flat = values.reshape(len(index), -1, *values.shape[2:])
    place = index.flatten(1)
    for _ in range(flat.ndim - 2):
        place = place.unsqueeze(-1)
    picked = flat.gather(1, place.expand(-1, -1, *flat.shape[2:]))
    return picked.view(*index.shape, *flat.shape[2:])


def scattered(values: Tensor, original: Tensor, index: Tensor, filled: Tensor) -> Tensor:
    """(B, S, N, D) over (R, M, D): tokens that belong to no segment keep their value of ``original``."""
    flat = original.reshape(len(index), -1, original.shape[-1])
    # Padding would write too: send it to one extra place that is cut off again.
    spare = flat.shape[1]
    target = torch.where(filled, index, spare).flatten(1)
    room = torch.cat([flat, flat[:, :1]], dim=1)
    written = room.scatter(1, target[..., None].expand(-1, -1, flat.shape[-1]), values.flatten(1, 2).to(flat.dtype))
    return written[:, :spare].reshape(original.shape)
