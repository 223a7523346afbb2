"""The way into an adapter's bottleneck and out of it, for LSTTA and for what it is compared with.

Frozen, pretrained tokens have a large part in common, which AdamW turns into a drift that kills a plain bottleneck
(decision 13). So what goes in is standardised by what was measured at the start of training, and what comes out is
never longer than the token that it is added to. Our choice, both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.modality import Modality
from lstta_core.processes import sum_over_processes

Key = TypeVar("Key", bound=str)

BATCHES = 40
"""How many training batches are measured."""


class Standardised(nn.Module):
    """``(LN(x) − μ) / σ``: mean and deviation of each feature of LN(x) are measured, then stand still.

    They are those over all tokens of the first ``BATCHES`` training batches, see :meth:`measure`; before that they are
    0 and 1. They are buffers, so they are saved with the adapter. The norm takes them as its weight and bias.

    Args:
        width: D, of the tokens.
        eps: added to the variance.
    """

    mean: Tensor
    variance: Tensor
    tokens: Tensor
    batches: Tensor

    def __init__(self, width: int, *, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("variance", torch.ones(width))
        self.register_buffer("tokens", torch.zeros((), dtype=torch.long))
        self.register_buffer("batches", torch.zeros((), dtype=torch.long))
        self._measured = False

    def forward(self, tokens: Tensor) -> Tensor:
        """(…, D), standardised."""
        scale = (self.variance + self.eps).rsqrt()
        return F.layer_norm(tokens, scale.shape, scale, -scale * self.mean)

    @torch.no_grad()
    def measure(self, tokens: Tensor, mask: Tensor) -> None:
        """Take a training batch into the statistics, all processes' batches together; after ``BATCHES`` do nothing.

        Args:
            tokens: (…, D).
            mask: (…), bool, true for tokens that are there.
        """
        self._measured = self._measured or int(self.batches) >= BATCHES
        if self._measured:
            return
        with torch.autocast(tokens.device.type, enabled=False):
            rows = normed(tokens)[mask].to(self.mean.dtype) - self.mean
            sums = torch.stack([torch.full_like(self.mean, len(rows)), rows.sum(0), rows.square().sum(0)])
        counts, total, squares = sum_over_processes(sums)
        if not (count := counts[0]):
            return
        self.tokens += count.long()
        self.batches += 1
        # Chan et al. 1979, with the batch's moments about the mean so far.
        share, shift = count / self.tokens, total / count
        self.variance.lerp_(squares / count - share * shift.square(), share)
        self.mean += share * shift


class Down(Standardised):
    """``W↓ (LN(x) − μ) / σ + b``: the way in, standardised.

    Args:
        inputs: D, the width of the tokens.
        width: r, of the bottleneck.
        eps: added to the variance.
    """

    def __init__(self, inputs: int, width: int, *, eps: float = 1e-5) -> None:
        super().__init__(inputs, eps=eps)
        linear = nn.Linear(inputs, width)
        self.weight, self.bias = linear.weight, linear.bias

    def forward(self, tokens: Tensor) -> Tensor:
        """(…, D) to (…, r)."""
        return F.linear(super().forward(tokens), self.weight, self.bias)


def normed(tokens: Tensor) -> Tensor:
    """Layer norm over the last axis without parameters."""
    return F.layer_norm(tokens, tokens.shape[-1:])


class Up(nn.Module):
    """``x + u / √(1 + |u|² / |x|²)`` with ``u = W↑ y``: u while it is small, and never longer than its token.

    W↑ has no bias and is zero at the start. |x| counts as a constant: no gradient goes through it.

    Args:
        width: r, of the bottleneck.
        outputs: D, the width of the tokens.
    """

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, width))

    def squares(self, narrow: Tensor, precise: torch.dtype) -> Tensor:
        """|u|² of each token: yᵀ (W↑ᵀ W↑) y, so that no wide vector is made for it."""
        weight, y = self.weight.to(precise), narrow.to(precise)
        return ((y @ (weight.T @ weight)) * y).sum(-1).flatten()

    def forward(self, tokens: Tensor, narrow: Tensor) -> Tensor:
        """x (…, D) and y (…, r) to (…, D); a token whose y is zero stays as it is."""
        return added({"": self}, {"": tokens}, {"": narrow})[""]


class Ups(nn.ModuleDict):
    """A way out for each modality; what is one number a token is computed for all together."""

    def forward(self, tokens: Mapping[Modality, Tensor], narrow: Mapping[Modality, Tensor]) -> dict[Modality, Tensor]:
        """As :class:`Up`, by modality."""
        return added({m: cast(Up, self[m]) for m in tokens}, tokens, narrow)


def added(ups: Mapping[Key, Up], tokens: Mapping[Key, Tensor], narrow: Mapping[Key, Tensor]) -> dict[Key, Tensor]:
    """As :class:`Up`, by key; two keys may share one."""
    names = list(ups)
    precise = torch.promote_types(next(iter(tokens.values())).dtype, torch.float32)
    with torch.autocast(tokens[names[0]].device.type, enabled=False):
        lengths = torch.cat([_lengths(tokens[name], precise) for name in names])
        squares = torch.cat([ups[name].squares(narrow[name], precise) for name in names])
        # |x| / √(|x|² + |u|²), which is also right for a token of length zero.
        smallest = torch.finfo(precise).tiny
        bounds = torch.addcmul(squares, lengths, lengths).clamp(min=smallest).rsqrt() * lengths
    out = {}
    for name, bound in zip(names, bounds.split([tokens[name][..., 0].numel() for name in names]), strict=True):
        y = narrow[name] * bound.view(*narrow[name].shape[:-1], 1).to(narrow[name].dtype)
        out[name] = tokens[name] + F.linear(y, ups[name].weight).to(tokens[name].dtype)
    return out


def _lengths(tokens: Tensor, precise: torch.dtype) -> Tensor:
    """|x| of each token. Contiguous, so that sums are taken in one order whatever the tokens were cut out of."""
    return torch.linalg.vector_norm(tokens.detach().contiguous(), dim=-1, dtype=precise).flatten()


class Units(nn.Module):
    """Passes a bottleneck's units on, behind their activation: a place for a forward hook, and nothing else."""

    def forward(self, values: Tensor) -> Tensor:
        """(…, r), as it is."""
        return values
