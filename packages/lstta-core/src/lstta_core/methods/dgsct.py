"""DG-SCT adapters: LAVISH with channel, spatial and temporal gates (Duan et al., NeurIPS 2023, arXiv 2311.05152)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.attention import MaskedAttention, masked_mean
from lstta_core.counts import check_counts
from lstta_core.interfaces import TIMED, Adapter, AdapterOutput, Method, Modality, Size, Stage, Stream, Streams
from lstta_core.methods.lavish import LavishDirection, directions
from lstta_core.methods.lstta.plan import sinusoids


class Gates(nn.Module):
    """How much each channel and each token of x (N, D) counts, by what y (M, E) of the same segment is about.

    With ā the mean of y::

        c     = σ(W_c ReLU(W_b mean_n(ReLU(U_x x_n) ⊙ ReLU(U_y ā))))              (D,)
        s_n   = σ(w_s · (ReLU(V_x ((1 + c) ⊙ x_n)) ⊙ ReLU(V_y ā)))                 a number for each token
        x''_n = (1 − α + α c + β s_n) ⊙ x_n

    Args:
        width: D.
        other: E.
        hidden: k, of all projections between.
        channel: α.
        spatial: β.
    """

    def __init__(self, *, width: int, other: int, hidden: int, channel: float, spatial: float) -> None:
        super().__init__()
        self.shares = channel, spatial
        self.own, self.about = nn.Linear(width, hidden), nn.Linear(other, hidden)
        self.between, self.channel = nn.Linear(hidden, hidden), nn.Linear(hidden, width)
        self.own_place, self.about_place = nn.Linear(width, hidden), nn.Linear(other, hidden)
        self.place = nn.Linear(hidden, 1)

    def forward(self, x: Tensor, x_mask: Tensor, about: Tensor) -> Tensor:
        """x (R, N, D), its mask (R, N), ā (R, E) to x'' (R, N, D)."""
        alpha, beta = self.shares
        mean = masked_mean(F.relu(self.own(x)) * F.relu(self.about(about))[:, None], x_mask, 1)
        channel = self.channel(F.relu(self.between(mean))).sigmoid()[:, None].to(x.dtype)
        places = F.relu(self.own_place((1 + channel) * x)) * F.relu(self.about_place(about))[:, None]
        place = self.place(places).sigmoid().to(x.dtype)
        return (1 - alpha + alpha * channel + beta * place) * x


class GatedDirection(nn.Module):
    """A :class:`~lstta_core.methods.lavish.LavishDirection` whose x' goes through :class:`Gates` before W↓.

    Args:
        width: D, of the tokens that listen.
        other: E, of the tokens that are heard.
        bottleneck: r, and the gates' k.
        latents: n.
        groups: of both projections.
        channel: α.
        spatial: β.
    """

    def __init__(
        self, *, width: int, other: int, bottleneck: int, latents: int, groups: int, channel: float, spatial: float
    ) -> None:
        super().__init__()
        self.lavish = LavishDirection(width=width, other=other, bottleneck=bottleneck, latents=latents, groups=groups)
        self.gates = Gates(width=width, other=other, hidden=bottleneck, channel=channel, spatial=spatial)

    def forward(self, x: Tensor, x_mask: Tensor, y: Tensor, y_mask: Tensor) -> Tensor:
        """x (R, N, D), y (R, M, E) and their masks to (R, N, D); ā is zero where there is nothing to hear."""
        about = masked_mean(y, y_mask, 1)
        listened = self.lavish.listened(x, y, y_mask)
        return self.lavish.out(self.gates(listened, x_mask, about.to(y.dtype)))


class TemporalGate(nn.Module):
    """``G[t] = σ(w · h[t] + b)``, h = z + Attention(z over the clip), z[t] = W LN(mean of the segment) + sin(t).

    Zero for segments without a token.

    Args:
        width: D, of the tokens.
        hidden: r.
    """

    def __init__(self, *, width: int, hidden: int) -> None:
        super().__init__()
        self.narrow = nn.Linear(width, hidden)
        self.attention = MaskedAttention(width=hidden, heads=1)
        self.gate = nn.Linear(hidden, 1)

    def forward(self, stream: Stream) -> Tensor:
        """(B, T)."""
        mean = masked_mean(stream.tokens, stream.mask, 2)
        z = self.narrow(F.layer_norm(mean, mean.shape[-1:]).to(stream.tokens.dtype))
        z = z + sinusoids(z.shape[1], z.shape[2], z)
        seen = stream.mask.any(-1)
        h = z + self.attention(z, z, seen)
        return cast(Tensor, self.gate(h)[..., 0].sigmoid().masked_fill(~seen, 0))


class DGSCTAdapter(Adapter):
    """One :class:`GatedDirection` from sound to sight and one back; both read what came in. The text is untouched.

    At the last stage, behind the blocks, ``x_m[t] ← (1 + γ_m G_m'[t]) x_m[t]``, m' the other of sight and sound, with a
    :class:`TemporalGate` each. γ is zero at the start, as the gates of LAVISH are.

    What deviates, beside what :class:`~lstta_core.methods.lavish.LavishDirection` says: the other modality's tokens are
    not mixed to as many as there are of this one, since streams have unequal numbers, and only their mean and
    attention over them are read; the gates' hidden units are as many as the bottleneck's, where D and D / 2 are
    published, so that one option sets the size; γ learns from zero, where it is a constant that depends on the task,
    so that a fresh adapter changes nothing; and the temporal gate reads the clip by one attention over its segments,
    where an LSTM and a transformer of two layers are published, which also replace what the readout reads.

    Args:
        widths: D_m, the width of each modality's tokens at this stage; visual and audio must be there.
        last: whether the readout follows.
        width: r, of the bottleneck; None for an eighth of D_m.
        latents: n.
        groups: of the projections; must divide r and D_m.
        channel: α, 0.3 as published.
        spatial: β, 0.05 as published.

    Raises:
        ValueError: a modality is missing, or groups do not divide.
    """

    def __init__(
        self,
        *,
        widths: Mapping[Modality, int],
        last: bool,
        width: int | None = None,
        latents: int = 2,
        groups: int = 2,
        channel: float = 0.3,
        spatial: float = 0.05,
    ) -> None:
        super().__init__()
        check_counts(latents=latents, groups=groups, **({} if width is None else {"width": width}))
        make = partial(GatedDirection, latents=latents, groups=groups, channel=channel, spatial=spatial)
        self.directions = directions(make, name="dgsct", widths=widths, width=width, groups=groups)
        sizes = {m: widths[m] // 8 if width is None else width for m in TIMED} if last else {}
        self.time = nn.ModuleDict({m: TemporalGate(width=widths[m], hidden=r) for m, r in sizes.items()})
        self.gamma = nn.ParameterDict({m: nn.Parameter(torch.zeros(())) for m in sizes})

    def forward(self, streams: Streams) -> AdapterOutput:
        adapted = dict(streams)
        for listener, speaker in zip(TIMED, reversed(TIMED), strict=True):
            adapted[listener] = self._listen(listener, streams[listener], streams[speaker])
        gates = {m: self.time[m](adapted[m]) for m in TIMED if m in self.time}
        for m, other in zip(gates, reversed(gates), strict=True):
            adapted[m] = self._in_time(m, adapted[m], gates[other])
        return AdapterOutput(adapted)

    def measure(self, streams: Streams) -> None:
        for m in TIMED:
            direction = cast(GatedDirection, self.directions[m])
            direction.lavish.standard.measure(streams[m].tokens, streams[m].mask)

    def _listen(self, listener: Modality, stream: Stream, other: Stream) -> Stream:
        x, x_mask, y, y_mask = (t.flatten(0, 1) for s in (stream, other) for t in (s.tokens, s.mask))
        out = self.directions[listener](x, x_mask, y, y_mask).to(x.dtype)
        return stream.with_tokens(torch.addcmul(x, out, x_mask[..., None].to(x.dtype)).view_as(stream.tokens))

    def _in_time(self, modality: Modality, stream: Stream, gate: Tensor) -> Stream:
        factor = (self.gamma[modality] * gate)[..., None, None].masked_fill(~stream.mask[..., None], 0)
        return stream.with_tokens(stream.tokens + factor.to(stream.tokens.dtype) * stream.tokens)


class DGSCT(Method):
    """Places a :class:`DGSCTAdapter` at every adapted stage. See there for the arguments."""

    def __init__(
        self,
        *,
        width: int | None = None,
        latents: int = 2,
        groups: int = 2,
        channel: float = 0.3,
        spatial: float = 0.05,
    ) -> None:
        self.size = Size("width", step=groups)
        self._build = partial(
            DGSCTAdapter, width=width, latents=latents, groups=groups, channel=channel, spatial=spatial
        )

    def adapter(self, stage: Stage) -> Adapter:
        return self._build(widths=stage.widths, last=stage.index == stage.count)
