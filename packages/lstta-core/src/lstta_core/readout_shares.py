"""How much of what a readout reads is of which segment; and the unguided readout, which reads by such shares alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

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
        if query is None:
            weights = _shares(
                output, modality, torch.promote_types(output.streams[modality].tokens.dtype, torch.float32)
            )
        else:
            weights = cast("TextGuidedPool", readout.pool[modality]).weights(query, *readout.pooled(modality, output))
            weights = weights.mean(1)
        shares[modality] = weights.sum(-1) * output.streams[modality].mask.any((1, 2))[:, None]
    return shares


def unguided(readout: Readout, output: TrimodalOutput) -> Tensor:
    """(B, E): the mean of each modality's tokens, weighted with the importances, and the sum of the three."""
    vectors = []
    for name, project in readout.project.items():
        modality = Modality(name)
        layer_norm, linear = cast("tuple[nn.LayerNorm, nn.Linear]", project)
        tokens = layer_norm(output.streams[modality].tokens.to(linear.weight.dtype))
        # Shares sum to 1, so the mean may be taken before the linear layer, and that has one vector a clip.
        pooled = linear(torch.einsum("btn,btnd->bd", _shares(output, modality, tokens.dtype), tokens))
        vectors.append(readout.norm[modality](pooled, output.streams[modality].mask.any((1, 2))))
    return torch.stack(vectors).sum(0)


def log_importances(output: TrimodalOutput, modality: Modality) -> Tensor | None:
    """(B, T), log g of the last stage that has importances, finite also where one has rounded to zero; or None."""
    importances = output.importances[-1] if output.importances else {}
    if modality not in importances:
        return None
    values = importances[modality].to(torch.promote_types(importances[modality].dtype, torch.float32))
    return values.clamp(min=torch.finfo(values.dtype).tiny).log()


def _shares(output: TrimodalOutput, modality: Modality, precision: torch.dtype) -> Tensor:
    """(B, T, N), what a mean weighs tokens with: each with its segment's g; of no use where nothing is seen."""
    mask, log_g = output.streams[modality].mask, log_importances(output, modality)
    scores = mask.new_zeros((), dtype=precision) if log_g is None else log_g[..., None].to(precision)
    return masked_softmax(scores.expand(mask.shape).flatten(1), mask.flatten(1)).view_as(mask)
