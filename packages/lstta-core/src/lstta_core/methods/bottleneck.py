"""Bottleneck adapters (Houlsby et al. 2019), each modality by itself: what LSTTA is without any interaction."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.counts import check_counts
from lstta_core.interfaces import (
    Adapter,
    AdapterOutput,
    Method,
    Modality,
    Size,
    Stage,
    Stream,
    Streams,
)
from lstta_core.methods.projections import Down, Units, Up, Ups


class BottleneckAdapter(Adapter):
    """``x_m + W↑_m · GELU(W↓_m · LN(x_m) + b_m)`` for each modality. W↑ is zero at the start.

    A norm before and none after, and GELU, are our choice; the published adapter stands twice in a block, this one
    once, at the stage. Its way in and out are those of LSTTA: standardised and bounded, see
    :mod:`~lstta_core.methods.projections`.

    Args:
        widths: D_m, the width of each modality's tokens at this stage.
        width: r, of the bottleneck.
        dropout: on the bottleneck before it goes up.
    """

    def __init__(self, *, widths: Mapping[Modality, int], width: int = 64, dropout: float = 0.0) -> None:
        super().__init__()
        check_counts(width=width)
        self.down = nn.ModuleDict({m: Down(widths[m], width) for m in widths})
        self.up = Ups({m: Up(width, widths[m]) for m in widths})
        self.units = nn.ModuleDict({m: Units() for m in widths})
        self.dropout = nn.Dropout(dropout)

    def forward(self, streams: Streams) -> AdapterOutput:
        narrow = {m: self._narrow(m, stream) for m, stream in streams.items()}
        tokens = self.up({m: stream.tokens for m, stream in streams.items()}, narrow)
        return AdapterOutput({m: stream.with_tokens(tokens[m]) for m, stream in streams.items()})

    def _narrow(self, modality: Modality, stream: Stream) -> Tensor:
        z = self.dropout(self.units[modality](F.gelu(self.down[modality](stream.tokens))))
        # Masked while it is narrow; without a bias on the way up, zero stays zero.
        return z.masked_fill(~stream.changeable[..., None], 0)

    def measure(self, streams: Streams) -> None:
        for m, stream in streams.items():
            cast(Down, self.down[m]).measure(stream.tokens, stream.changeable)


class Bottleneck(Method):
    """Places a :class:`BottleneckAdapter` at every adapted stage. See there for the arguments."""

    size = Size("width")

    def __init__(self, *, width: int = 64, dropout: float = 0.0) -> None:
        self._build = partial(BottleneckAdapter, width=width, dropout=dropout)

    def adapter(self, stage: Stage) -> Adapter:
        return self._build(widths=stage.widths)
