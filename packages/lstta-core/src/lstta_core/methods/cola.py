"""CoLA: low-rank updates inside linear layers that the other encoders steer (Suharitdamrong et al. 2026)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.counts import check_above_zero, check_counts
from lstta_core.interfaces import Encoder, EncoderChange, Method, Modality, Size
from lstta_core.targets import QUERY_AND_VALUE, Target, matching


@dataclass
class Heard:
    """What the other streams have come to, while blocks run that read it: (R, E) by modality. No module."""

    rows: Mapping[Modality, Tensor] = field(default_factory=dict)


class LowRank(nn.Module):
    """A (r, in), uniform as Kaiming has it, and B (out, r), zero at the start.

    Args:
        inputs: in.
        outputs: out.
        r: the rank.
    """

    def __init__(self, inputs: int, outputs: int, r: int) -> None:
        super().__init__()
        self.down = nn.Linear(inputs, r, bias=False)
        self.up = nn.Linear(r, outputs, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x: Tensor, between: Tensor | None = None) -> Tensor:
        """(R k, …, in) to (R k, …, out); ``between`` (R, r, r), for each of R rows the matrix between A and B."""
        z = self.down(x)
        if between is not None:
            rows = z.reshape(len(between), -1, z.shape[-1])
            z = (rows @ between.transpose(1, 2).to(rows.dtype)).view_as(z)
        return cast(Tensor, self.up(z))


class Steered(LowRank):
    """The update that one other stream steers: ``s · B Φ(c) A x``, with an MLP that makes Φ (r, r) of its vector c.

    ``Φ(c) = N′(W₂ N(GELU(W₁ LN(c) + b₁)) + b₂)``, with norms that learn over the hidden units and over Φ's r² numbers.

    Args:
        inputs: in.
        outputs: out.
        r: the rank.
        other: E, the width of c.
        reduction: E / reduction hidden units, two at least.
    """

    def __init__(self, inputs: int, outputs: int, r: int, *, other: int, reduction: int) -> None:
        super().__init__(inputs, outputs, r)
        hidden = max(2, other // reduction)
        self.phi = nn.Sequential(nn.Linear(other, hidden), nn.GELU(), nn.LayerNorm(hidden), nn.Linear(hidden, r * r))
        self.norm = nn.LayerNorm([r, r])
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """(R k, …, in) to (R k, …, out), given (R, E); zeros for rows that hear nothing."""
        assert context is not None
        there = context.any(-1)[:, None, None]
        normed = F.layer_norm(context, context.shape[-1:]).to(self.scale.dtype)
        between = self.norm(self.phi(normed).unflatten(-1, self.norm.normalized_shape))
        return self.scale * super().forward(x, between.masked_fill(~there, 0))


class CoLALinear(nn.Module):
    """``W x + (α / r) B A x + Σ_c s_c B_c Φ_c(c) A_c x``, c the streams that are heard.

    Args:
        base: the frozen layer.
        r: the rank, two at least where there is something to hear.
        alpha: α.
        others: the width of each modality that is heard.
        reduction: see :class:`Steered`.
        heard: where that is found.
    """

    def __init__(
        self,
        base: nn.Linear,
        *,
        r: int,
        alpha: float,
        others: Mapping[Modality, int],
        reduction: int,
        heard: Heard,
    ) -> None:
        super().__init__()
        sizes = base.in_features, base.out_features, r
        self.base_layer = base
        self.scale, self.heard = alpha / r, heard
        self.own = LowRank(*sizes)
        self.others = nn.ModuleDict({m: Steered(*sizes, other=e, reduction=reduction) for m, e in others.items()})

    @property
    def weight(self) -> Tensor:
        """Of the frozen layer, for libraries that look at it; so is the bias."""
        return self.base_layer.weight

    @property
    def bias(self) -> Tensor | None:
        return self.base_layer.bias

    def forward(self, x: Tensor) -> Tensor:
        """(R k, …, in) to (R k, …, out): the first axis counts the encoder's rows, or k parts of each."""
        y: Tensor = self.base_layer(x)
        update = self.scale * self.own(x)
        for modality, other in self.others.items():
            update = update + other(x, self.heard.rows[Modality(modality)])
        return y + update.to(y.dtype)


class CoLA(Method):
    """Puts a :class:`CoLALinear` in the place of the encoders' linear layers of these names (arXiv 2604.03314).

    The updates of a block hear the streams as they were at the stage before it; blocks before the first stage, where
    streams have not met, have the first update alone, which is LoRA's.

    What deviates from the paper, which has two encoders in step: of three, each layer hears the other two, with an
    update for each. c is the mean of what a stream has in the segments of the row, in place of a class token, which
    not every encoder has, normed, since the means of pretrained tokens are far apart in size; it is read once a stage,
    where the public code reads it before every linear layer. s starts at 1, since at 0, as published, B_c = 0 and s = 0
    would leave each other without a gradient for ever. The paper adapts all linear layers of a block; by default
    these are queries and values, as for LoRA here.

    Args:
        r: the rank; two at least.
        alpha: α; None for 2r, which keeps the factor where r changes.
        reduction: the hidden units of each MLP are the width of what it hears divided by this, 16 as published.
        target: the names of the linear layers, see :data:`~lstta_core.targets.Target`.
    """

    size = Size("r", least=2)

    def __init__(
        self, *, r: int = 8, alpha: float | None = None, reduction: int = 16, target: Target = QUERY_AND_VALUE
    ) -> None:
        check_counts(r=r, reduction=reduction)
        if r < 2:
            raise ValueError(f"r: 2 or more is wanted, got {r}: the norm of a matrix of one number is always 0")
        self.r, self.reduction, self.target = r, reduction, target
        self.alpha = 2 * r if alpha is None else alpha
        check_above_zero(alpha=self.alpha)

    def prepare_at_stages(
        self, encoders: Mapping[Modality, Encoder], crossed: Mapping[Modality, Sequence[int]]
    ) -> EncoderChange:
        """Make the layers, to be put in by the change's switch.

        Raises:
            ValueError: no linear layer of an encoder matches, an encoder does not say which modules its blocks are, or
                no layer stands behind a stage, so that none could hear another stream.
        """
        heard = Heard()
        places: list[tuple[nn.Module, str, CoLALinear]] = []
        trainable: list[str] = []
        for modality, encoder in encoders.items():
            linear = {name: module for name, module in encoder.named_modules() if isinstance(module, nn.Linear)}
            block_of = dict(_blocks(modality, encoder))
            for name in matching(self.target, modality, list(linear), what="cola: linear layer"):
                others = _widths_heard(modality, block_of.get(linear[name], 0), encoders, crossed)
                layer = self._layer(linear[name], others, heard)
                holder, _, last = name.rpartition(".")
                places.append((encoder.get_submodule(holder), last, layer))
                own = (key for key, _ in layer.named_parameters() if not key.startswith("base_layer."))
                trainable += [f"{modality}.{name}.{key}" for key in own]
        if len(encoders) > 1 and not any(layer.others for _, _, layer in places):
            raise ValueError(
                "cola: every layer of target stands before the first stage, where no other stream has been met: "
                "raise model.stages, or name layers of later blocks"
            )

        def hear(rows: Mapping[Modality, Tensor]) -> None:
            heard.rows = rows

        return EncoderChange(tuple(trainable), switch=_switch(places), hear=hear)

    def _layer(self, base: nn.Linear, others: Mapping[Modality, int], heard: Heard) -> CoLALinear:
        layer = CoLALinear(base, r=self.r, alpha=self.alpha, others=others, reduction=self.reduction, heard=heard)
        return layer.to(next(base.parameters()).device).eval()


def _blocks(modality: Modality, encoder: Encoder) -> Iterator[tuple[nn.Module, int]]:
    """The modules of each block, and its number.

    Raises:
        ValueError: the encoder does not say which modules its blocks are.
    """
    for index in range(encoder.depth):
        block = encoder.block(index)
        if block is None:
            raise ValueError(
                f"cola: the {modality} encoder {type(encoder).__name__} does not say which modules its blocks are: "
                "give it the method block"
            )
        for module in block.modules():
            yield module, index


def _widths_heard(
    modality: Modality, block: int, encoders: Mapping[Modality, Encoder], crossed: Mapping[Modality, Sequence[int]]
) -> dict[Modality, int]:
    """By modality, the width at the stage before the block; empty before the first stage."""
    before = sum(block >= count for count in crossed[modality][1:])
    others = [m for m in encoders if m != modality] if before else []
    return {m: encoders[m].widths[crossed[m][before] - 1] for m in others}


def _switch(places: Sequence[tuple[nn.Module, str, CoLALinear]]) -> Callable[[bool], None]:
    """Puts the layers into their encoder and the original ones back, each at its place: a module and a name in it."""

    def switch(on: bool) -> None:
        for holder, name, layer in places:
            if on:
                layer.to(next(layer.base_layer.parameters()).device)  # the encoder may have been moved since
            holder.add_module(name, layer if on else layer.base_layer)

    return switch
