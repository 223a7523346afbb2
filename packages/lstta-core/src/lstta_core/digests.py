"""A digest of an encoder's weights: an adapter belongs to the encoders that it was trained on."""

from __future__ import annotations

import hashlib

import torch

from lstta_core.interfaces import Encoder


def encoder_digest(encoder: Encoder) -> str:
    """SHA-256 over the names, shapes and float32 values of all parameters and persistent buffers, in hex.

    The digest is of what was loaded: take it before weights are cast to another precision.
    """
    sha = hashlib.sha256()
    for name, tensor in sorted(encoder.state_dict().items()):
        values = tensor.detach().to("cpu")
        values = values.to(torch.float32) if values.is_floating_point() else values
        sha.update(f"{name}:{tuple(values.shape)}:".encode())
        sha.update(values.contiguous().numpy().tobytes())
    return sha.hexdigest()
