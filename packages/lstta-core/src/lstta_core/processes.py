"""Sums over the processes that train together."""

from __future__ import annotations

import torch.distributed as dist
from torch import Tensor


def sum_over_processes(total: Tensor) -> Tensor:
    """The sum over all processes that train together, in place; the tensor itself where there is one."""
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(total)
    return total
