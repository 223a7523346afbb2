"""MokA adapters: a way in for each modality, what the text says at low rank, one way out (arXiv 2506.05191)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache, partial
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.attention import attend
from lstta_core.counts import check_above_zero, check_counts
from lstta_core.interfaces import (
    TIMED,
    Adapter,
    AdapterOutput,
    Encoder,
    EncoderChange,
    Method,
    Modality,
    Size,
    Stage,
    Stream,
    Streams,
)
from lstta_core.methods.projections import Standardised, Units, Up, added

LANGUAGE = Modality.LANGUAGE

logger = logging.getLogger(__name__)
tell_once = cache(logger.warning)
"""A budget tries many widths, and each prepares."""


class LowRank(Standardised):
    """``scale · A (LN(x) − μ) / σ``: the way in of one modality.

    Args:
        inputs: D, the width of the tokens.
        r: the rank.
        scale: α / r.
    """

    def __init__(self, inputs: int, r: int, scale: float) -> None:
        super().__init__(inputs)
        self.scale = scale
        self.weight = nn.Linear(inputs, r, bias=False).weight

    def forward(self, tokens: Tensor) -> Tensor:
        """(…, D) to (…, r)."""
        return F.linear(super().forward(tokens), self.scale * self.weight)


class MokAAdapter(Adapter):
    """Low-rank updates that have heard the text (Wei et al. 2025).

    With tokens x_m of sight, sound and text, and m = v, a below::

        z_m = (α / r) A_m (LN(x_m) − μ_m) / σ_m                     A_m (r, D_m), each modality its own
        z_m ← z_m + λ · softmax(z_m z_lᵀ / √r) z_l                  over the words of the clip, without projections
        x_m ← x_m + u_m / √(1 + |u_m|² / |x_m|²),  u_m = B z_m      for the text too; B (D, r), zero at the start

    as published, with one B for all tokens of one width. What deviates: the paper has one language model that reads
    all tokens, and the update beside each of its linear maps, y = W x + B z; here the modalities have an encoder each,
    so the update stands between their blocks, at the stage, and encoders of other widths have a B each. What goes in
    is standardised and what comes out is bounded, as in every adapter here, where the paper's linear maps read what a
    norm has scaled. The √r is the paper's; its public code divides by the root of how many words there are.

    Where the encoders have no text nothing is heard: what is left is a low-rank update of each modality.

    A word of an answer hears nothing and nothing hears it: it is changed by what it is itself.

    Args:
        widths: D_m, the width of each modality's tokens at this stage.
        r: the rank.
        alpha: α; None for 2r, which keeps the factor where r changes.
        text: λ, how much of what the text says is added.
    """

    def __init__(
        self, *, widths: Mapping[Modality, int], r: int = 16, alpha: float | None = None, text: float = 1.0
    ) -> None:
        super().__init__()
        check_counts(r=r)
        alpha = 2 * r if alpha is None else alpha
        check_above_zero(alpha=alpha)
        self.text = text
        scale = alpha / r
        self.down = nn.ModuleDict({m: LowRank(width, r, scale) for m, width in widths.items()})
        self.up = nn.ModuleDict({str(width): Up(r, width) for width in sorted(set(widths.values()))})
        self.units = nn.ModuleDict({m: Units() for m in widths})

    def forward(self, streams: Streams) -> AdapterOutput:
        z = {m: self._narrow(m, stream) for m, stream in streams.items()}
        if LANGUAGE in streams:
            heard = {m: self._heard(z[m], z[LANGUAGE], streams[LANGUAGE].mask) for m in TIMED if m in streams}
            z |= {m: z[m] + self.text * heard[m].masked_fill(~streams[m].mask[..., None], 0) for m in heard}
        ups = {m: cast(Up, self.up[str(stream.tokens.shape[-1])]) for m, stream in streams.items()}
        tokens = added(ups, {m: stream.tokens for m, stream in streams.items()}, z)
        return AdapterOutput({m: stream.with_tokens(tokens[m]) for m, stream in streams.items()})

    def _narrow(self, modality: Modality, stream: Stream) -> Tensor:
        z = self.units[modality](self.down[modality](stream.tokens))
        return cast(Tensor, z.masked_fill(~stream.changeable[..., None], 0))

    def _heard(self, z: Tensor, words: Tensor, mask: Tensor) -> Tensor:
        """What the words (B, S, L, r) say to z (B, T, N, r), which has that shape; zeros where there is no word."""
        seen = mask.flatten(1)
        none = ~seen.any(1, keepdim=True)
        words = words.flatten(1, 2)[:, None]
        heard = attend(z.flatten(1, 2)[:, None], words, words, (seen | none)[:, None, None])
        return heard[:, 0].masked_fill(none[..., None], 0).view_as(z)

    def measure(self, streams: Streams) -> None:
        for m, stream in streams.items():
            cast(LowRank, self.down[m]).measure(stream.tokens, stream.changeable)


class MokA(Method):
    """Places a :class:`MokAAdapter` at every adapted stage. See there for the arguments."""

    size = Size("r")

    def __init__(self, *, r: int = 16, alpha: float | None = None, text: float = 1.0) -> None:
        self._build = partial(MokAAdapter, r=r, alpha=alpha, text=text)

    def prepare(self, encoders: Mapping[Modality, Encoder]) -> EncoderChange:
        """Change nothing, and say where no text is there to be heard."""
        if LANGUAGE not in encoders:
            tell_once("moka: these encoders have no text, which is all that sight and sound hear of each other")
        return EncoderChange()

    def adapter(self, stage: Stage) -> Adapter:
        return self._build(widths=stage.widths)
