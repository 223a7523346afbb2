"""Digests of frozen weights, and frozen weights in bfloat16 beside what trains in float32."""

from __future__ import annotations

import copy
import hashlib
import struct
from types import ModuleType

import pytest
import torch
from torch import nn

from lstta_core.adapter_set import encoder_digest
from lstta_core.interfaces import Encoder, Modality, Streams
from lstta_core.lockstep import TrimodalModel
from lstta_core.methods.lstta.adapter import LSTTA
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


def test_weights_are_cast_and_statistics_are_not(small: ModuleType) -> None:
    model = TrimodalModel(small.encoders(), frozen_dtype=torch.bfloat16)
    model.add_adapter("a", LSTTA(width=8))
    for module in model.encoders.modules():
        expected = torch.float32 if isinstance(module, nn.BatchNorm2d) else torch.bfloat16
        assert {parameter.dtype for parameter in module.parameters(recurse=False)} <= {expected}
        assert all(not b.is_floating_point() or b.dtype == torch.float32 for b in module.buffers(recurse=False))
    assert {parameter.dtype for parameter in model.adapters.parameters()} == {torch.float32}


def test_the_digest_is_of_the_weights_as_loaded(small: ModuleType) -> None:
    low, full = (TrimodalModel(small.encoders(), frozen_dtype=dtype) for dtype in (torch.bfloat16, torch.float32))
    assert low.digests == full.digests


def test_fresh_model_equals_the_frozen_one_to_the_bit(small: ModuleType) -> None:
    inputs = small.inputs()
    model = TrimodalModel(small.encoders(), frozen_dtype=torch.bfloat16)
    frozen = model(inputs)
    model.add_adapter("a", LSTTA(width=8))
    for modality, stream in model(inputs).streams.items():
        assert stream.tokens.dtype == torch.bfloat16
        assert torch.equal(stream.tokens, frozen.streams[modality].tokens)


def test_near_to_float32(small: ModuleType) -> None:
    inputs = small.inputs()
    low, full = (TrimodalModel(small.encoders(), frozen_dtype=dtype) for dtype in (torch.bfloat16, torch.float32))
    one, two = low(inputs), full(inputs)
    for modality, stream in one.streams.items():
        assert two.streams[modality].tokens.dtype == torch.float32
        torch.testing.assert_close(stream.tokens.float(), two.streams[modality].tokens, rtol=0.1, atol=0.1)


def test_adapters_run_under_autocast_and_encoders_do_not(small: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    states: dict[str, set[bool]] = {"adapter": set(), "block": set()}
    model = TrimodalModel(small.encoders(), frozen_dtype=torch.bfloat16)
    model.add_adapter("a", LSTTA(width=8))
    for stage in model.adapters["a"].children():
        stage.register_forward_pre_hook(lambda *_: states["adapter"].add(torch.is_autocast_enabled("cpu")))
    for encoder in model.by_modality().values():
        encoder.get_submodule("blocks.0").register_forward_pre_hook(
            lambda *_: states["block"].add(torch.is_autocast_enabled("cpu"))
        )
    model(small.inputs())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        model(small.inputs())
    assert states == {"adapter": {True}, "block": {False}}


def test_trains(small: ModuleType) -> None:
    inputs = small.inputs()
    model = TrimodalModel(small.encoders(), adapted=1, frozen_dtype=torch.bfloat16)
    torch.manual_seed(0)
    model.add_adapter("a", LSTTA(width=8))
    target = {m: torch.randn(stream.tokens.shape) for m, stream in model(inputs).streams.items()}
    optimizer = torch.optim.AdamW(model.trainable_parameters(), lr=3e-2)
    losses = []
    for _ in range(4):
        optimizer.zero_grad()
        loss = distance(model(inputs).streams, target)
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    assert {p.grad.dtype for p in model.trainable_parameters() if p.grad is not None} == {torch.float32}
    assert losses[-1] < losses[0]


def distance(streams: Streams, target: dict[Modality, torch.Tensor]) -> torch.Tensor:
    return torch.stack([(s.tokens.float() - target[m])[s.mask].square().mean() for m, s in streams.items()]).sum()


def test_other_types_are_refused(small: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"frozen_dtype must be one of .*bfloat16.*, got torch.int8"):
        TrimodalModel(small.encoders(), frozen_dtype=torch.int8)
