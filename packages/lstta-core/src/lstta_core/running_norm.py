"""Features brought to one scale by what training has seen of them so far."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn


class RunningNorm(nn.Module):
    """(x − mean) / deviation, then a learned scale and shift, with running statistics in training as in evaluation.

    Frozen encoders give features whose greater part is the same for every input. A batch norm before the head is the
    common remedy (He et al. 2022, for linear probes); this one, our choice, has the formula of its evaluation in
    training too: nothing changes between the two, a batch may hold one clip, and no gradient goes through statistics.

    Args:
        width: E, of the features.
        momentum: the least weight of a batch in the statistics. The first n batches weigh the same, up to 1 / momentum.
        eps: added to the variance.
    """

    mean: Tensor
    variance: Tensor
    batches: Tensor

    def __init__(self, width: int, *, momentum: float = 0.01, eps: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("variance", torch.ones(width))
        self.register_buffer("batches", torch.zeros((), dtype=torch.long))

    def forward(self, features: Tensor, seen: Tensor) -> Tensor:
        """Standardise, and in training take the batch into the statistics first; all processes' batches, where several
        train together.

        Args:
            features: (B, E).
            seen: (B,), bool, false for clips without the modality: they count for nothing.

        Returns:
            (B, E), zeros where not seen.
        """
        if self.training:
            with torch.autocast(features.device.type, enabled=False):
                self._follow(features.detach(), seen)
        scaled = (features - self.mean) * (self.variance + self.eps).rsqrt() * self.weight + self.bias
        return scaled * seen[:, None]

    @torch.no_grad()
    def _follow(self, features: Tensor, seen: Tensor) -> None:
        rows, there = features.to(self.mean.dtype), seen.to(self.mean.dtype)
        count = _of_all_processes(there.sum())
        self.batches += count > 0
        # No batch at all, or nothing in this one, must leave everything as it is.
        rate = (1 / self.batches.clamp(min=1)).clamp(min=self.momentum).to(rows.dtype) * (count > 0)
        count = count.clamp(min=1)
        self.mean.lerp_(_of_all_processes(there @ rows) / count, rate)
        self.variance.lerp_(_of_all_processes(there @ (rows - self.mean).square()) / count, rate)


def _of_all_processes(total: Tensor) -> Tensor:
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(total)
    return total
