"""Frozen weights in another precision than they were loaded in: how they are cast, and how they compute."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from lstta_core.quantized import BITS, Bits, quantize

HALVES = (torch.bfloat16, torch.float16)
FROZEN_DTYPES = (torch.float32, *HALVES)
FrozenDtype = torch.dtype | Bits


def lower(module: nn.Module, dtype: FrozenDtype) -> None:
    """Cast the parameters of a module in place, or put its matrices into 8 or 4 bits.

    Buffers keep their type, since rotary tables and filter banks do not bear rounding, and so do batch norms as a
    whole: their parameters must have the type of their statistics.

    Raises:
        ValueError: frozen weights cannot have this type; the message lists the choices.
    """
    if isinstance(dtype, str) and dtype in BITS:
        quantize(module, dtype)
        return
    if dtype not in FROZEN_DTYPES:
        raise ValueError(f"frozen_dtype must be one of {[None, *FROZEN_DTYPES, *BITS]}, got {dtype}")
    for part in module.modules():
        if not isinstance(part, _BatchNorm):
            for parameter in part.parameters(recurse=False):
                parameter.data = parameter.data.to(dtype)


def arithmetic(frozen_dtype: FrozenDtype, device: str, *, mixed: bool) -> AbstractContextManager[object]:
    """The context in which a part of the model runs.

    With frozen weights in a half precision, autocast is on where parameters in float32 meet tokens in it, and off where
    all weights are in it: there it would only send norms and tokens through float32. Otherwise whatever the
    caller has set stays in force.

    Args:
        frozen_dtype: of the frozen weights.
        device: its type, as autocast wants it: ``"cpu"``, ``"cuda"``.
        mixed: whether the part has parameters in float32, as everything that trains.
    """
    if isinstance(frozen_dtype, torch.dtype) and frozen_dtype in HALVES:
        return torch.autocast(device, dtype=frozen_dtype, enabled=mixed)
    return nullcontext()
