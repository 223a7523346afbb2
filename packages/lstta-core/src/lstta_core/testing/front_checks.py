"""Whether an encoder's blocks take tokens in front of their own, where it says that they do."""

from __future__ import annotations

from collections.abc import Mapping
from unittest import SkipTest

import torch
from torch import Tensor

from lstta_core.front import run_block, with_front, without_front
from lstta_core.interfaces import Encoder
from lstta_core.masks import to_stream
from lstta_core.testing.encoder_states import check_layout
from lstta_core.testing.suite import require, require_close, take

COUNT = 3


def require_front(encoder: Encoder, inputs: Mapping[str, Tensor], tolerance: float) -> None:
    """Fail unless every clip's tokens read what stands in front, and no other clip's; a skip where nothing may.

    And unless the last block gives the same without those tokens as with them, where their outcome is left out, and is
    called for it as for everything else.
    """
    if encoder.more_tokens({}, COUNT) is None:
        raise SkipTest("its blocks take no tokens in front of their own")
    with torch.no_grad():
        width = encoder.embed(inputs).tokens.shape[-1]
    front = torch.randn(COUNT, width, generator=torch.Generator().manual_seed(0)).requires_grad_()
    called: list[int] = []
    block = encoder.block(encoder.depth - 1)
    hook = None if block is None else block.register_forward_hook(lambda *_: called.append(1))
    whole, mask = _finished(encoder, inputs, front)
    usual = len(called)
    without, _ = _finished(encoder, inputs, front, behind=True)
    require(len(called) == 2 * usual, "last_block_behind does not call the block, whose parts alone are not sharded")
    require_close(without[mask], whole[mask], tolerance, "last_block_behind and run_block")
    if hook is not None:
        hook.remove()
    for clip in range(len(whole)):
        (gradient,) = torch.autograd.grad(whole[clip][mask[clip]].square().sum(), front, retain_graph=True)
        require(bool(gradient.any(1).all()), f"clip {clip} does not read all tokens in front")
        alone, there = _finished(encoder, take(inputs, [clip]), front)
        one, two = alone[0][there[0]], whole[clip][mask[clip]]
        require_close(one, two, tolerance, f"clip {clip} alone and in the batch, with tokens in front")


def _finished(
    encoder: Encoder, inputs: Mapping[str, Tensor], front: Tensor, behind: bool = False
) -> tuple[Tensor, Tensor]:
    m = encoder.modality
    bare = {m: encoder.embed(inputs)}
    states = with_front(bare, {m: front}, {m: encoder})
    for index in range(encoder.depth):
        states = {m: run_block(encoder, index, states[m], bare[m] if behind else None)}
        check_layout(states[m].layout, f"block {index}, with tokens in front")
    state = without_front(states, bare)[m]
    stream = to_stream(state, encoder.finish(state), inputs["present"])
    return stream.tokens, stream.mask
