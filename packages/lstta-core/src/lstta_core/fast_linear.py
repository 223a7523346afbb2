"""Linear layers in float32 through oneDNN, for training on a CPU.

Torch multiplies float32 matrices with MKL, which does not use the full vector width of an AMD processor: there oneDNN
is about twice as fast, in the same precision (measured on a Zen 5: 210 GFLOP/s a core against 95). Sums may be taken in
another order, so results may differ from torch's in the last bits. Our choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.overrides import TorchFunctionMode

_OPERATOR = "mkldnn::_linear_pointwise"
_FEWEST = 2**18
"""Multiplications of a product below which a call of oneDNN takes longer than the product itself."""
_in_force: ContextVar[bool] = ContextVar("fast_linear", default=False)


@contextmanager
def fast_linear(*, enabled: bool = True) -> Iterator[bool]:
    """Send every large enough ``F.linear`` in float32 on a CPU, and its backward pass, through oneDNN.

    Anything else is left alone: other types, autocast, other devices, code under ``torch.compile``.

    Args:
        enabled: false makes it a context that does nothing.

    Yields:
        Whether it is in force; it is not where torch was built without oneDNN.
    """
    if not enabled or not available():
        yield False
        return
    with _Mode():
        token = _in_force.set(True)
        try:
            yield True
        finally:
            _in_force.reset(token)


def when_computed_again() -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
    """``context_fn`` for :func:`torch.utils.checkpoint.checkpoint`: torch leaves function modes during a backward pass,
    so that what is computed again there has to enter this one by itself."""
    return nullcontext(), fast_linear(enabled=_in_force.get())


def available() -> bool:
    """Whether torch has oneDNN's linear layer."""
    return torch.backends.mkldnn.is_available() and torch._C._dispatch_has_kernel(_OPERATOR)


class _Mode(TorchFunctionMode):
    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        options: Mapping[str, Any] = kwargs or {}
        if func is not F.linear:
            return func(*args, **options)
        values, weight, bias = _arguments(*args, **options)
        if _suits(values, weight):
            return _Linear.apply(values, weight, bias)
        return F.linear(values, weight, bias)


def _arguments(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor | None]:
    return input, weight, bias


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
