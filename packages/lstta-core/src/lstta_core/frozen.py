"""Frozen weights: the digest that an adapter is bound to, the precision they are kept in, and how they compute."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from lstta_core.interfaces import Encoder

FROZEN_DTYPES = (None, torch.float32, torch.bfloat16)


def encoder_digest(encoder: Encoder) -> str:
    """SHA-256 over the names, shapes and float32 values of all parameters and persistent buffers, in hex.

    The digest is of what was loaded: take it before weights are cast to another precision.
    """
    return tensors_digest(encoder.state_dict())


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over the names, shapes and values (floats as float32) of tensors, in hex."""
    sha = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        values = tensor.detach().to("cpu")
        values = values.to(torch.float32) if values.is_floating_point() else values
        sha.update(f"{name}:{tuple(values.shape)}:".encode())
        sha.update(values.contiguous().numpy().tobytes())
    return sha.hexdigest()


def check_frozen_dtype(dtype: torch.dtype | None) -> None:
    """Raise a ValueError that lists the choices where the frozen weights cannot have this type."""
    if dtype not in FROZEN_DTYPES:
        raise ValueError(f"frozen_dtype must be one of {list(FROZEN_DTYPES)}, got {dtype}")


def lower(module: nn.Module, dtype: torch.dtype) -> None:
    """Cast the parameters of a module in place.

    Buffers keep their type, since rotary tables and filter banks do not bear rounding, and so do batch norms as a
    whole: their parameters must have the type of their statistics.
    """
    for part in module.modules():
        if not isinstance(part, _BatchNorm):
            for parameter in part.parameters(recurse=False):
                parameter.data = parameter.data.to(dtype)


def arithmetic(frozen_dtype: torch.dtype | None, device: str, *, mixed: bool) -> AbstractContextManager[object]:
    """The context in which a part of the model runs.

    With frozen weights in bfloat16, autocast is on where parameters in float32 meet tokens in bfloat16, and off where
    all weights are bfloat16: there it would only send norms and tokens through float32. Otherwise whatever the
    caller has set stays in force.

    Args:
        frozen_dtype: of the frozen weights; None as they were loaded.
        device: its type, as autocast wants it: ``"cpu"``, ``"cuda"``.
        mixed: whether the part has parameters in float32, as everything that trains.
    """
    if frozen_dtype is torch.bfloat16:
        return torch.autocast(device, dtype=torch.bfloat16, enabled=mixed)
    return nullcontext()
