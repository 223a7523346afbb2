"""Digests of weights: an adapter belongs to the encoders that it was trained on, an index to the adapter."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor

from lstta_core.interfaces import Encoder


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
