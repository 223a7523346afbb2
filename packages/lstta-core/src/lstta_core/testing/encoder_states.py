"""What the checks of encoders look at: inputs, padding, layouts and states."""

from __future__ import annotations

from collections.abc import Mapping
from unittest import SkipTest

import torch
from torch import Tensor

from lstta_core.interfaces import EncoderState, LanguageSpec
from lstta_core.layout import Layout
from lstta_core.testing.suite import require


def segments(inputs: Mapping[str, Tensor]) -> int:
    return (inputs["ids"] if "ids" in inputs else inputs["mask"] if "mask" in inputs else inputs["length"]).shape[1]


def filled_segments(inputs: Mapping[str, Tensor]) -> Tensor:
    """(B, S), which segments hold anything."""
    return inputs["length"] > 0 if "length" in inputs else inputs["mask"].any(-1)


def padded(inputs: Mapping[str, Tensor], spec: object) -> dict[str, Tensor]:
    """The same clips with more padding: longer texts, or two more segments that hold nothing."""
    if isinstance(spec, LanguageSpec):
        room = min(3, spec.max_length - inputs["ids"].shape[2])
        if room <= 0:
            raise SkipTest("the texts fill max_length")
        more = {"ids": (0, room, spec.pad_id), "mask": (0, room, 0)}
        return {
            name: torch.nn.functional.pad(tensor, more[name][:2], value=more[name][2]) if name in more else tensor
            for name, tensor in inputs.items()
        }
    return {
        name: tensor if name == "present" else torch.cat([tensor, torch.zeros_like(tensor[:, :2])], 1)
        for name, tensor in inputs.items()
    }


def check_layout(layout: Layout, name: str) -> None:
    segment, segments = layout.segment, layout.segments
    require(bool(((segment >= -1) & (segment < segments)).all()), f"after {name} a segment is out of range")
    placed = layout.to_segments(segment)  # (B, S, N)
    own = torch.arange(segments)[:, None]
    if layout.filled is None:
        wrong = (placed != own) & (placed >= 0)
        require(
            not wrong.any(),
            f"after {name} the layout is not regular: a part of {placed.shape[2]} tokens holds another segment's. "
            "Use Layout.ragged",
        )
        return
    require(bool((placed == own)[layout.filled].all()), f"after {name} a place of the index holds another segment")
    reached = int(layout.filled.sum())
    require(
        reached == int((segment >= 0).sum()), f"after {name} the index reaches {reached} tokens, not all that belong"
    )


def require_unchanged(given: EncoderState, state: EncoderState, who: str) -> None:
    require(torch.equal(given.tokens, state.tokens), f"{who} changed the tokens of the state it was given")
    require(torch.equal(given.mask, state.mask), f"{who} changed the mask of the state it was given")
    require(torch.equal(given.layout.segment, state.layout.segment), f"{who} changed the layout that it was given")
    require(given.extras.keys() == state.extras.keys(), f"{who} changed the extras of the state it was given")
    for key, tensor in given.extras.items():
        require(torch.equal(tensor, state.extras[key]), f"{who} changed extras[{key!r}] of the state it was given")
