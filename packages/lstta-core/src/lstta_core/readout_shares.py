"""How much of what a readout reads is of which segment; and the unguided readout, which reads by such shares alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from lstta_core.attention import masked_softmax
from lstta_core.interfaces import Modality, TrimodalOutput

if TYPE_CHECKING:
    from lstta_core.readout import Readout, TextGuidedPool


def attention(readout: Readout, output: TrimodalOutput) -> dict[Modality, Tensor]:
    """Where a readout looks: for sight and for sound (B, T), the share of each segment in the weights.

    The weights of a segment's tokens together, in the mean of the heads. They sum to 1 over a clip, and are zeros
    where the clip lacks the modality. They say what was read, not what changed the answer.
    """
    query = readout.query(output.streams) if readout.guided else None
    shares = {}
    for modality in readout.timed:
        tokens, mask, log_g = readout.pooled(modality, output)
        if query is None:
            weights = _shares(tokens, mask, log_g)
        else:
            weights = cast("TextGuidedPool", readout.pool[modality]).weights(query, tokens, mask, log_g).mean(1)
        shares[modality] = weights.sum(-1) * mask.any((1, 2))[:, None]
    return shares


def unguided(readout: Readout, output: TrimodalOutput) -> Tensor:
    """(B, E): the mean of each modality's tokens, weighted with the importances, and the sum of the three."""
    vectors = []
    for modality, norm in readout.norm.items():
        tokens, mask, log_g = readout.pooled(cast(Modality, modality), output)
        pooled = torch.einsum("btn,btne->be", _shares(tokens, mask, log_g), tokens)
        vectors.append(norm(pooled, mask.any((1, 2))))
    return torch.stack(vectors).sum(0)


def _shares(tokens: Tensor, mask: Tensor, log_g: Tensor | None) -> Tensor:
    """(B, T, N), what a mean weighs tokens with: each with its segment's g; of no use where nothing is seen."""
    scores = tokens.new_zeros(mask.shape) if log_g is None else log_g[..., None].expand(mask.shape).to(tokens.dtype)
    return masked_softmax(scores.flatten(1), mask.flatten(1)).view_as(scores)
