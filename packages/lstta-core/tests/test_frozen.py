from __future__ import annotations

import copy
import hashlib
import struct

import torch

from lstta_core.frozen import encoder_digest
from lstta_core.interfaces import Encoder
from lstta_core.testing import ToyLanguage


def test_digest_equals_a_naive_one() -> None:
    encoder = ToyLanguage()
    encoder.register_buffer("count", torch.tensor([3, 5]))
    sha = hashlib.sha256()
    for name in sorted(encoder.state_dict()):
        tensor = encoder.state_dict()[name]
        sha.update(f"{name}:{tuple(tensor.shape)}:".encode())
        kind = "<q" if tensor.dtype == torch.int64 else "<f"
        sha.update(b"".join(struct.pack(kind, value) for value in tensor.flatten().tolist()))
    assert encoder_digest(encoder) == sha.hexdigest()


def test_digest_is_of_the_values() -> None:
    encoder: Encoder = ToyLanguage()
    other = copy.deepcopy(encoder)
    assert encoder_digest(encoder) == encoder_digest(other)
    assert encoder_digest(other.requires_grad_(False).eval()) == encoder_digest(encoder)
    with torch.no_grad():
        other.get_parameter("norm.bias")[2] += 1e-6
    assert encoder_digest(encoder) != encoder_digest(other)


def test_digest_sees_buffers_and_names() -> None:
    encoder = ToyLanguage()
    before = encoder_digest(encoder)
    encoder.register_buffer("extra", torch.zeros(2))
    with_buffer = encoder_digest(encoder)
    encoder.register_buffer("not_saved", torch.zeros(2), persistent=False)
    assert with_buffer == encoder_digest(encoder) != before
    assert encoder_digest(ToyLanguage()) != before, "other random weights"


def test_half_precision_that_holds_the_same_values_has_the_same_digest() -> None:
    encoder = ToyLanguage().bfloat16()
    assert encoder_digest(encoder) == encoder_digest(copy.deepcopy(encoder).float())
