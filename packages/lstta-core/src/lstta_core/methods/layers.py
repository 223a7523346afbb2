"""A learned mix of the encoders' layers, each modality by itself: what a readout of the last layer alone may miss.

After ELMo's scalar mix (Peters et al. 2018, arXiv 1802.05365) and the weighted sum of layers that SUPERB's readouts
have (Yang et al. 2021, arXiv 2105.01051).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import nn

from lstta_core.interfaces import Adapter, AdapterOutput, Method, Modality, Stage, Stream, Streams


class LayersAdapter(Adapter):
    """``x_m[K] + σ(x_m[K]) · Σ_k w_m[k] LN(x_m[k])`` at the last stage K, over the adapted stages k up to it.

    LN has no parameters and σ is the deviation over a token's width, so that all layers are on the scale of LN(x[K]).
    Every w is a number and zero at the start, where ELMo and SUPERB have a softmax: a softmax cannot give the last
    layer alone, which is what a fresh adapter has to be. A number may also be negative, and w[K] = −1 takes the last
    layer out. Our choice.

    Before the last stage the tokens stay as they are, and the sum goes on as ``carried`` of the stream. So everything
    that a stage reads is an argument of it: checkpointing computes stages again, last first, and gets the same; two
    batches under way do not meet; torch.compile sees plain tensors in and out. A memory shared by the adapters would
    have to know which forward pass is being computed again.

    Args:
        widths: D_m, the width of each modality's tokens at this stage.
        place: k and K, as :class:`~lstta_core.interfaces.Stage` has them.
    """

    def __init__(self, *, widths: Mapping[Modality, int], place: tuple[int, int]) -> None:
        super().__init__()
        self.place = place
        self.weight = nn.ParameterDict({m: nn.Parameter(torch.zeros(())) for m in widths})

    def forward(self, streams: Streams) -> AdapterOutput:
        """
        Raises:
            ValueError: tokens have another width or number than at the stage before, or no stage but the last is
                adapted.
        """
        return AdapterOutput({m: self._mixed(m, stream) for m, stream in streams.items()})

    def _mixed(self, modality: Modality, stream: Stream) -> Stream:
        index, count = self.place
        tokens, mix = stream.tokens, stream.carried
        if mix is not None and mix.shape != tokens.shape:
            raise ValueError(
                f"layers: {modality} tokens are {tuple(tokens.shape)} at stage {index} of {count} and were "
                f"{tuple(mix.shape)} at the one before: only layers of one shape can be mixed; lower model.adapted"
            )
        if mix is None and index == count > 1:
            raise ValueError(f"layers: only stage {index} of {count} is adapted: raise model.adapted to mix several")
        hidden = ~stream.changeable[..., None]
        own = self.weight[modality] * F.layer_norm(tokens, tokens.shape[-1:]).masked_fill(hidden, 0)
        mix = own if mix is None else mix + own
        if index < count:
            return replace(stream, carried=mix)
        scale = tokens.detach().std(-1, keepdim=True, correction=0)
        added = (scale * mix).masked_fill(hidden, 0)
        return replace(stream, tokens=tokens + added.to(tokens.dtype), carried=None)


class Layers(Method):
    """Places a :class:`LayersAdapter` at every adapted stage. A number for each stage and modality trains."""

    def adapter(self, stage: Stage) -> Adapter:
        return LayersAdapter(widths=stage.widths, place=(stage.index, stage.count))
