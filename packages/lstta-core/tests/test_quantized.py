"""Frozen weights in 8 and 4 bits, against the layers that they stand for."""

from __future__ import annotations

import copy
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core import quantized
from lstta_core.interfaces import Modality
from lstta_core.lockstep import TrimodalModel
from lstta_core.methods.full import FullFineTuning
from lstta_core.methods.lstta.adapter import LSTTA
from lstta_core.quantized import Bits, Conv8, Embedding8, Linear4, Linear8, is_quantized, quantize

NF4 = pytest.param("nf4", marks=pytest.mark.slow)
OFF = {"int8": 0.01, "nf4": 0.15}
"""How far a product of random weights may be off, as a part of its size."""


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(13, 7, padding_idx=2), nn.Linear(7, 11), nn.GELU(), nn.Linear(11, 5)).eval()


def in_bits(bits: Bits, module: nn.Module | None = None) -> nn.Module:
    if bits == "nf4":
        pytest.importorskip("bitsandbytes")
    module = copy.deepcopy(small() if module is None else module).requires_grad_(False)
    quantize(module, bits)
    return module


def test_8_bits_are_a_scale_a_row_and_127_of_it() -> None:
    linear = nn.Linear(3, 2)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[1.27, -0.634, 0.0], [0.0, 0.0, 0.0]]))
    layer = Linear8(linear)
    assert layer.quantized.tolist() == [[127, -63, 0], [0, 0, 0]]
    torch.testing.assert_close(layer.scale, torch.tensor([[0.01], [0.0]]))
    torch.testing.assert_close(layer.weight, torch.tensor([[1.27, -0.63, 0.0], [0.0, 0.0, 0.0]]))


@pytest.mark.parametrize("bits", ["int8", NF4])
def test_values_and_gradients_are_those_of_the_restored_weights(bits: Bits) -> None:
    module = in_bits(bits)
    layer = module[1]
    assert isinstance(layer, Linear8 | Linear4)
    values = torch.randn(2, 3, 7, requires_grad=True)
    found = layer(values)
    torch.testing.assert_close(found, F.linear(values, layer.weight, layer.bias))
    grad = torch.randn(2, 3, 11)
    (to_values,) = torch.autograd.grad(found, values, grad)
    torch.testing.assert_close(to_values, grad @ layer.weight)
    assert layer.quantized.dtype == torch.int8
    assert not layer.quantized.requires_grad


@pytest.mark.parametrize("bits", ["int8", NF4])
def test_what_comes_out_is_near_and_takes_fewer_bytes(bits: Bits) -> None:
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Embedding(13, 64), nn.Linear(64, 128), nn.GELU(), nn.Linear(128, 64)).eval()
    few = in_bits(bits, plain)
    ids = torch.randint(13, (5, 7))
    off = (few(ids) - plain(ids)).norm() / plain(ids).norm()
    assert 0 < off < OFF[bits]
    sizes = [
        sum(t.numel() * t.element_size() for t in [*module.parameters(), *module.buffers()]) for module in (few, plain)
    ]
    assert sizes[0] < {"int8": 0.28, "nf4": 0.19}[bits] * sizes[1]


@pytest.mark.parametrize(
    ("conv", "values"),
    [
        (nn.Conv1d(3, 7, 5, stride=2, padding=1), torch.randn(2, 3, 11)),
        (nn.Conv2d(4, 6, 3, groups=2, dilation=2, bias=False), torch.randn(2, 4, 7, 11)),
    ],
)
def test_convolutions(conv: nn.Conv1d | nn.Conv2d, values: Tensor) -> None:
    layer = in_bits("int8", nn.Sequential(conv))[0]
    assert isinstance(layer, Conv8)
    exact = copy.deepcopy(conv)
    exact.weight.data = layer.weight
    torch.testing.assert_close(layer(values), exact(values))
    assert (layer(values) - conv(values)).norm() < 0.01 * conv(values).norm()


def test_rows_of_a_table_are_restored_where_they_are_looked_up() -> None:
    table = in_bits("int8")[0]
    assert isinstance(table, Embedding8)
    ids = torch.tensor([[2, 5], [11, 2]])
    assert torch.equal(table(ids), table.weight[ids])
    assert table(ids)[0, 0].count_nonzero() == 0


@pytest.mark.parametrize("bits", ["int8", NF4])
def test_nothing_wide_is_kept_for_the_backward_pass(bits: Bits) -> None:
    """Neither the restored matrix, which would be all the memory that was saved, nor the tokens."""
    layer = in_bits(bits)[1]
    kept: list[int] = []

    def pack(tensor: Tensor) -> Tensor:
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        layer(torch.randn(3, 7, requires_grad=True))
    assert sum(kept) == 0


@pytest.mark.parametrize("bits", ["int8", NF4])
def test_copies_state_dicts_and_autocast(bits: Bits) -> None:
    module = in_bits(bits)
    ids = torch.tensor([1, 12])
    other = copy.deepcopy(module)
    for buffer in [*other.parameters(), *other.buffers()]:
        buffer.data.zero_()
    other.load_state_dict(module.state_dict())
    assert torch.equal(other(ids), module(ids))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        tokens = torch.randn(2, 7, requires_grad=True)
        half = module[1](tokens)
    assert half.dtype == torch.bfloat16
    half.float().sum().backward()
    assert tokens.grad is not None
    assert tokens.grad.dtype == torch.float32
    module.to("meta")


def test_layers_that_compute_in_another_way_are_left_alone() -> None:
    """Attention of torch's own reads its last layer's weights by itself."""
    attention = nn.MultiheadAttention(6, 2, batch_first=True).eval()
    few = in_bits("int8", attention)
    assert not is_quantized(few)
    tokens = torch.randn(1, 3, 6)
    assert torch.equal(few(tokens, tokens, tokens)[0], attention(tokens, tokens, tokens)[0])


def test_4_bits_without_bitsandbytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantized, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"4 bits need bitsandbytes, .* pip install 'lstta-core\[nf4\]', or say int8"):
        quantize(small(), "nf4")


@pytest.mark.parametrize("bits", ["int8", NF4])
def test_adapters_train_behind_them(small: ModuleType, bits: Bits) -> None:
    if bits == "nf4":
        pytest.importorskip("bitsandbytes")
    torch.manual_seed(0)
    plain = TrimodalModel(small.encoders(seed=3))
    few = TrimodalModel(small.encoders(seed=3), frozen_dtype=bits)
    assert few.digests == plain.digests, "digests are of what was loaded"
    assert all(is_quantized(encoder) for m, encoder in few.by_modality().items() if m is Modality.LANGUAGE)
    few.add_adapter("a", LSTTA(width=8, heads=2))
    inputs = small.inputs()
    before = {name: tensor.clone() for name, tensor in few.encoders.state_dict().items()}
    output = few(inputs)
    sum(stream.tokens.square().mean() for stream in output.streams.values()).backward()
    gradients = [few.get_parameter(name).grad for name in few.trainable_names()]
    assert any(gradient is not None and gradient.count_nonzero() for gradient in gradients)
    assert all(torch.equal(tensor, before[name]) for name, tensor in few.encoders.state_dict().items())


def test_full_fine_tuning_of_them_is_refused(small: ModuleType) -> None:
    model = TrimodalModel(small.encoders(), frozen_dtype="int8")
    with pytest.raises(ValueError, match=r"full: the \w+ encoder's weights are in 8 or 4 bits, which cannot train"):
        model.add_adapter("a", FullFineTuning())
