"""A method in one file: bottlenecks, each of which also hears the mean of everything in the clip."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core import Adapter, AdapterOutput, Method, Modality, Size, Stage, Stream, Streams, check_counts


class ClipMeanAdapter(Adapter):
    """At one stage, ``x_m + W↑_m · GELU(z_m + mean of all z)`` with ``z_m = W↓_m LN(x_m)``; W↑ is zero at the start.

    Args:
        widths: D_m, the width of each modality's tokens at this stage.
        width: r, of the bottleneck.
    """

    def __init__(self, *, widths: Mapping[Modality, int], width: int) -> None:
        super().__init__()
        check_counts(width=width)
        self.norm = nn.ModuleDict({m: nn.LayerNorm(widths[m]) for m in widths})
        self.down = nn.ModuleDict({m: nn.Linear(widths[m], width) for m in widths})
        self.up = nn.ModuleDict({m: nn.Linear(width, widths[m], bias=False) for m in widths})
        for m in widths:
            nn.init.zeros_(self.up[m].weight)  # so that a fresh model is the frozen one

    def forward(self, streams: Streams) -> AdapterOutput:
        z = {m: self._down(m, stream) for m, stream in streams.items()}
        heard = torch.stack([self._mean(z[m], stream.mask) for m, stream in streams.items()]).sum(0)
        return AdapterOutput({m: self._adapted(m, stream, z[m] + heard) for m, stream in streams.items()})

    def _down(self, m: Modality, stream: Stream) -> Tensor:
        """(B, S, N, r), zero where the mask is false: values there are unspecified, and must not matter."""
        hidden = ~stream.mask[..., None]
        z: Tensor = self.down[m](self.norm[m](stream.tokens.masked_fill(hidden, 0)))
        return z.masked_fill(hidden, 0)

    def _mean(self, z: Tensor, mask: Tensor) -> Tensor:
        """(B, 1, 1, r), of what is there; zero for a clip that lacks the modality."""
        count = mask.sum((1, 2), dtype=z.dtype).clamp(min=1)
        return (z.sum((1, 2)) / count[:, None])[:, None, None]

    def _adapted(self, m: Modality, stream: Stream, z: Tensor) -> Stream:
        change = self.up[m](F.gelu(z)).masked_fill(~stream.mask[..., None], 0)
        return stream.with_tokens(stream.tokens + change)


class ClipMean(Method):
    """Places a :class:`ClipMeanAdapter` at every adapted stage.

    Args:
        width: r; ``budget`` in a config solves for it.
    """

    size = Size("width")

    def __init__(self, *, width: int = 64) -> None:
        self.width = width

    def adapter(self, stage: Stage) -> Adapter:
        return ClipMeanAdapter(widths=stage.widths, width=self.width)
