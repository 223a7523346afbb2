"""From block to block: the state of any encoder of this package after one more block."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from lstta_backbone_transformers.body import Body
from lstta_core.interfaces import EncoderState
from lstta_core.streams import Layout


def advance(body: Body, index: int, state: EncoderState) -> EncoderState:
    """Run block ``index``. Where tokens are merged after it, mask and layout are merged with them."""
    tokens, extras = body.run(index, state.tokens, state.extras)
    step = body.steps[index]
    if step.merge is None:
        return EncoderState(tokens, state.mask, state.layout, extras)
    assert step.grid is not None
    mask = merged(state.mask, step.grid) > 0
    old = state.layout
    layout = Layout.regular if old.index is None else Layout.ragged
    return EncoderState(tokens, mask, layout(merged(old.segment, step.grid), old.segments, old.rows_per_clip), extras)


def merged(values: Tensor, grid: tuple[int, int]) -> Tensor:
    """(R, H W) to (R, ⌈H/2⌉ ⌈W/2⌉), int64: the highest value of each square of two by two."""
    picture = values.view(-1, 1, *grid).float()
    return F.max_pool2d(picture, 2, ceil_mode=True).flatten(1).long()
