"""LAVISH adapters between sight and sound (Lin et al., CVPR 2023, arXiv 2212.07983)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.counts import check_counts
from lstta_core.interfaces import (
    TIMED,
    Adapter,
    AdapterOutput,
    Method,
    Modality,
    Size,
    Stage,
    Stream,
    Streams,
)
from lstta_core.methods.projections import Standardised, Units


class GroupedLinear(nn.Module):
    """A linear map without bias in which each group of outputs reads its own group of inputs.

    The same as a 1×1 convolution with groups, for tokens whose width is the last axis.

    Args:
        inputs: D, a multiple of ``groups``.
        outputs: r, a multiple of ``groups``.
        groups: how many.
    """

    def __init__(self, inputs: int, outputs: int, groups: int) -> None:
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(torch.empty(outputs, inputs // groups))
        nn.init.uniform_(self.weight, -((inputs // groups) ** -0.5), (inputs // groups) ** -0.5)

    def forward(self, values: Tensor) -> Tensor:
        """(…, D) to (…, r)."""
        grouped = values.unflatten(-1, (self.groups, -1))
        return torch.einsum("...gd,grd->...gr", grouped, self.weight.unflatten(0, (self.groups, -1))).flatten(-2)


class LavishDirection(nn.Module):
    """What one modality hears from the other within each segment.

    With tokens x (N, D) of the one and y (M, E) of the other, and n learned latents L (n, E)::

        R   = L + softmax(L yᵀ) y
        x'  = x + g₁ · softmax(x Rᵀ) R
        out = g₂ · Norm(W↑ ReLU(Norm(W↓ (LN(x') − μ) / σ)))

    as published, with no scale in the softmax, the gates g₁ and g₂ zero at the start, and grouped W↓ and W↑. What
    deviates: where D and E differ R goes through a learned (E, D) matrix, instead of y being resized; both norms are
    layer norms instead of batch norms, since a clip's answer may not depend on what shares its batch or on padding; and
    as for the other methods what goes in is standardised by the tokens' first batches, since without it or a batch norm
    half of the units are dead on pretrained tokens.

    Args:
        width: D, of the tokens that listen.
        other: E, of the tokens that are heard.
        bottleneck: r, a multiple of ``groups``.
        latents: n.
        groups: of both projections; must divide D.
    """

    def __init__(self, *, width: int, other: int, bottleneck: int, latents: int, groups: int) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.rand(latents, other))
        self.bridge = nn.Linear(other, width, bias=False) if other != width else nn.Identity()
        self.standard = Standardised(width)
        self.down = GroupedLinear(width, bottleneck, groups)
        self.norm_down = nn.LayerNorm(bottleneck)
        self.units = Units()
        self.up = GroupedLinear(bottleneck, width, groups)
        self.norm_up = nn.LayerNorm(width)
        self.gate_heard = nn.Parameter(torch.zeros(()))
        self.gate_out = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, y: Tensor, y_mask: Tensor) -> Tensor:
        """x (R, N, D), y (R, M, E) and its mask (R, M), R segments, to (R, N, D). Nothing to hear leaves R = L."""
        return self.out(self.listened(x, y, y_mask))

    def listened(self, x: Tensor, y: Tensor, y_mask: Tensor) -> Tensor:
        """x', arguments as of :meth:`forward`."""
        latents = self.latents.to(y.dtype)
        seen = y_mask.any(-1)
        allowed = y_mask | ~seen[:, None]
        weights = (latents @ y.transpose(1, 2)).masked_fill(~allowed[:, None], float("-inf")).softmax(-1)
        heard = latents + (weights.to(y.dtype) @ y) * seen[:, None, None]
        summary = self.bridge(heard).to(x.dtype)
        attention = (x @ summary.transpose(1, 2)).softmax(-1).to(x.dtype)
        # The gates go into the small factors: x' and the gated norm cost one pass over the wide tokens each.
        return torch.baddbmm(x, attention, self.gate_heard.to(x.dtype) * summary)

    def out(self, listened: Tensor) -> Tensor:
        """What is added, given x' (R, N, D)."""
        narrow = self.units(F.relu(self.norm_down(self.down(self.standard(listened)))))
        gain, shift = self.gate_out * self.norm_up.weight, self.gate_out * self.norm_up.bias
        return F.layer_norm(self.up(narrow), gain.shape, gain, shift, self.norm_up.eps)


class LavishAdapter(Adapter):
    """One :class:`LavishDirection` from sound to sight and one back; both read what came in. The text is untouched.

    Segments never mix. Where the published adapters stand twice in each block, beside attention and beside the MLP,
    these stand at the stage: our choice.

    Args:
        widths: D_m, the width of each modality's tokens at this stage; visual and audio must be there.
        width: r, of the bottleneck; None for an eighth of D_m, as published.
        latents: n.
        groups: of the projections; must divide r and D_m.

    Raises:
        ValueError: a modality is missing, or groups do not divide.
    """

    def __init__(
        self, *, widths: Mapping[Modality, int], width: int | None = None, latents: int = 2, groups: int = 2
    ) -> None:
        super().__init__()
        check_counts(latents=latents, groups=groups, **({} if width is None else {"width": width}))
        make = partial(LavishDirection, latents=latents, groups=groups)
        self.directions = directions(make, name="lavish", widths=widths, width=width, groups=groups)

    def forward(self, streams: Streams) -> AdapterOutput:
        adapted = dict(streams)
        for listener, speaker in zip(TIMED, reversed(TIMED), strict=True):
            adapted[listener] = self._listen(listener, streams[listener], streams[speaker])
        return AdapterOutput(adapted)

    def measure(self, streams: Streams) -> None:
        for m in TIMED:
            cast(LavishDirection, self.directions[m]).standard.measure(streams[m].tokens, streams[m].mask)

    def _listen(self, listener: Modality, stream: Stream, other: Stream) -> Stream:
        x, y = stream.tokens.flatten(0, 1), other.tokens.flatten(0, 1)
        out = self.directions[listener](x, y, other.mask.flatten(0, 1)).to(x.dtype)
        mask = stream.mask.flatten(0, 1)[..., None].to(x.dtype)
        return stream.with_tokens(torch.addcmul(x, out, mask).view_as(stream.tokens))


def directions(
    make: Callable[..., nn.Module], *, name: str, widths: Mapping[Modality, int], width: int | None, groups: int
) -> nn.ModuleDict:
    """One from sound to sight and one back, of a method of this name.

    Raises:
        ValueError: a modality is missing, or groups do not divide.
    """
    missing = [str(m) for m in TIMED if m not in widths]
    if missing:
        raise ValueError(f"{name} works between a visual and an audio encoder; the model lacks {missing}")
    made: dict[str, nn.Module] = {}
    for listener, speaker in zip(TIMED, reversed(TIMED), strict=True):
        tokens, bottleneck = widths[listener], widths[listener] // 8 if width is None else width
        if tokens % groups or bottleneck % groups or not bottleneck:
            raise ValueError(
                f"groups={groups} must divide the {listener} width {tokens} and the bottleneck {bottleneck}: "
                "choose other groups or another width"
            )
        made[listener] = make(width=tokens, other=widths[speaker], bottleneck=bottleneck)
    return nn.ModuleDict(made)


class Lavish(Method):
    """Places a :class:`LavishAdapter` at every adapted stage. See there for the arguments."""

    def __init__(self, *, width: int | None = None, latents: int = 2, groups: int = 2) -> None:
        self.size = Size("width", step=groups)
        self._build = partial(LavishAdapter, width=width, latents=latents, groups=groups)

    def adapter(self, stage: Stage) -> Adapter:
        return self._build(widths=stage.widths)
