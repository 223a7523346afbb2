"""Linear layers in float32 through oneDNN, for training on a CPU.

Torch multiplies float32 matrices with MKL, which does not use the full vector width of an AMD processor: there oneDNN
is about twice as fast, in the same precision (measured on a Zen 5: 210 GFLOP/s a core against 95). Sums may be taken in
another order, so results may differ from torch's in the last bits. Our choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

_OPERATOR = "mkldnn::_linear_pointwise"
_FEWEST = 2**18
"""Multiplications of a product below which a call of oneDNN takes longer than the product itself."""
_torchs_own = F.linear
_entered = 0
_lock = Lock()


@contextmanager
def fast_linear(*, enabled: bool = True) -> Iterator[bool]:
    """Send every large enough ``F.linear`` in float32 on a CPU, and its backward pass, through oneDNN.

    Anything else is left alone: other types, autocast, other devices, code under ``torch.compile``. It is for whoever
    owns the process, such as a command line: while it lasts it holds in all of it. A mode of torch's would not do,
    since torch leaves modes during a backward pass, and what checkpointing computes again there must come out the same.

    Args:
        enabled: false makes it a context that does nothing.

    Yields:
        Whether it is in force; it is not where torch was built without oneDNN.
    """
    if not enabled or not available():
        yield False
        return
    _enter(1)
    try:
        yield True
    finally:
        _enter(-1)


def _enter(more: int) -> None:
    """Count who is inside, in any thread; torch's own function is back when all have left."""
    global _entered
    with _lock:
        _entered += more
        F.linear = _linear if _entered else _torchs_own


def available() -> bool:
    """Whether torch has oneDNN's linear layer."""
    return torch.backends.mkldnn.is_available() and torch._C._dispatch_has_kernel(_OPERATOR)


def _linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """In the place of ``torch.nn.functional.linear``, with the names of its arguments."""
    if _suits(input, weight):
        product: Tensor = _Linear.apply(input, weight, bias)
        return product
    return _torchs_own(input, weight, bias)


def _suits(values: Tensor, weight: Tensor) -> bool:
    return (
        values.device.type == "cpu"
        and values.dtype is weight.dtype is torch.float32
        and values.numel() * weight.shape[0] >= _FEWEST
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
    )


def _product(values: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``values @ weight.T + bias`` for matrices of any strides."""
    return torch.ops.mkldnn._linear_pointwise(values, weight, bias, "none", [], "")


class _Linear(torch.autograd.Function):
    """Saves what the gradients that are wanted need, as torch's own linear layer does."""

    @staticmethod
    def forward(ctx: FunctionCtx, values: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        wants_values, wants_weight, _ = ctx.needs_input_grad  # type: ignore[attr-defined]
        ctx.save_for_backward(values if wants_weight else None, weight if wants_values else None)  # type: ignore[arg-type]
        return _product(values, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        values, weight = ctx.saved_tensors
        rows = grad.reshape(-1, grad.shape[-1])
        to_values = None if weight is None else _product(rows, weight.t()).view(*grad.shape[:-1], weight.shape[1])
        to_weight = None if values is None else rows.t() @ values.reshape(-1, values.shape[-1])
        return to_values, to_weight, rows.sum(0) if ctx.needs_input_grad[2] else None
