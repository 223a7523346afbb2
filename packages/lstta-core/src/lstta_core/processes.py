"""What processes that train together tell each other in a step."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.functional import pad


def sum_over_processes(total: Tensor) -> Tensor:
    """The sum over all processes that train together, in place; the tensor itself where there is one."""
    if processes() > 1:
        dist.all_reduce(total)
    return total


def gather_over_processes(own: Tensor) -> Tensor:
    """(B, …) of each process, as large in each, to (processes · B, …) in the order of ranks; with gradients.

    Every process must compute the same loss from it. Gradients are then those of that one loss, as a batch of all
    would give them, once they are averaged over processes as DistributedDataParallel does.
    """
    if processes() == 1:
        return own
    if own.dtype is torch.bool:  # gloo has none
        return _Gather.apply(own.to(torch.uint8)).bool()
    gathered: Tensor = _Gather.apply(own)
    return gathered


def gather_padded(own: Tensor, value: float = 0) -> Tensor:
    """As :func:`gather_over_processes`, of tensors whose axes but the first may be of other sizes in each process.

    Args:
        own: (B, …).
        value: what stands at the end of axes that are longer elsewhere.
    """
    if processes() == 1:
        return own
    sizes = torch.tensor(own.shape[1:], device=own.device)
    dist.all_reduce(sizes, dist.ReduceOp.MAX)
    rest = [(0, longest - size) for longest, size in zip(sizes.tolist(), own.shape[1:], strict=True)]
    return gather_over_processes(pad(own, [number for pair in reversed(rest) for number in pair], value=value))


def from_first_process(own: Tensor) -> Tensor:
    """What rank 0 has, of the same shape in each process, in place."""
    if processes() > 1:
        dist.broadcast(own, 0)
    return own


def processes() -> int:
    """How many train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def place() -> int:
    """The rank of this one."""
    return dist.get_rank() if processes() > 1 else 0


class _Gather(torch.autograd.Function):
    """All processes have the same gradient of what was gathered: none has to be asked for its own."""

    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:
        own = own.contiguous()
        parts = [torch.empty_like(own) for _ in range(processes())]
        dist.all_gather(parts, own)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Tensor:
        mine: Tensor = gradients[0].chunk(processes())[place()]
        return mine * processes()  # the average over processes takes it back
