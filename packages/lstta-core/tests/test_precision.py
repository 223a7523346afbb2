"""Frozen weights in bfloat16, what trains in float32."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from torch import nn

from lstta_core.interfaces import Modality, Streams
from lstta_core.lockstep import TrimodalModel
from lstta_core.methods.lstta.adapter import LSTTA


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
