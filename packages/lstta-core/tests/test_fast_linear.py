from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lstta_core import fast_linear as module
from lstta_core.fast_linear import fast_linear

pytestmark = pytest.mark.skipif(not module.available(), reason="this torch has no oneDNN")


@pytest.fixture(autouse=True)
def _however_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FEWEST", 0)


def gradients(values: Tensor, layer: nn.Linear, weights: Tensor) -> tuple[Tensor, list[Tensor | None]]:
    out = layer(values)
    leaves = [leaf for leaf in (values, layer.weight, layer.bias) if leaf is not None and leaf.requires_grad]
    return out, list(torch.autograd.grad((out * weights).sum(), leaves))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("shape", [(11, 7), (2, 3, 5, 7), (1, 7), (7,)])
def test_equals_torch_and_its_gradients(shape: tuple[int, ...], frozen: bool, bias: bool) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(7, 13, bias=bias).requires_grad_(not frozen)
    values, weights = torch.randn(shape, requires_grad=True), torch.randn(*shape[:-1], 13)
    wanted, references = gradients(values, layer, weights)
    with fast_linear() as on:
        assert on
        got, ours = gradients(values, layer, weights)
    assert type(got.grad_fn).__name__ != type(wanted.grad_fn).__name__
    torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-5)
    for one, two in zip(ours, references, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-5)


def test_values_and_gradients_of_any_strides() -> None:
    layer = nn.Linear(5, 3)
    values, weights = torch.randn(5, 11, 2, requires_grad=True), torch.randn(3, 11, 2)
    with fast_linear():
        got = layer(values.permute(1, 2, 0)).permute(2, 0, 1)
    wanted = layer(values.permute(1, 2, 0)).permute(2, 0, 1)
    torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-5)
    leaves = (values, layer.weight, layer.bias)
    for one, two in zip(
        torch.autograd.grad((got * weights).sum(), leaves),
        torch.autograd.grad((wanted * weights).sum(), leaves),
        strict=True,
    ):
        torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-5)


def test_a_frozen_layer_keeps_nothing_but_its_weight() -> None:
    layer = nn.Linear(7, 13).requires_grad_(False)
    with fast_linear():
        out = layer(torch.randn(11, 7, requires_grad=True))
    assert out.grad_fn is not None
    saved = [tensor for tensor in out.grad_fn.saved_tensors if tensor is not None]
    assert [tensor.shape for tensor in saved] == [layer.weight.shape]


def test_what_it_does_not_suit_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("called")

    monkeypatch.setattr(module, "_product", refuse)
    values, weight = torch.randn(11, 7), torch.randn(13, 7)
    with fast_linear():
        assert torch.equal(F.linear(values.double(), weight.double()), values.double() @ weight.double().t())
        assert F.linear(values.bfloat16(), weight.bfloat16()).dtype is torch.bfloat16
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert F.linear(values, weight).dtype is torch.bfloat16
        monkeypatch.setattr(module, "_FEWEST", 10**6)
        F.linear(values, weight)
    with fast_linear(enabled=False) as on:
        assert not on
        F.linear(values, weight)
    F.linear(values, weight)


@pytest.mark.parametrize("on", [True, False])
def test_what_is_computed_again_is_computed_the_same_way(on: bool) -> None:
    net = nn.Sequential(nn.Linear(7, 13), nn.GELU(), nn.Linear(13, 5))
    values = torch.randn(11, 7, requires_grad=True)
    with fast_linear(enabled=on):
        (wanted,) = torch.autograd.grad(net(values).square().sum(), values)
        again = checkpoint(net, values, use_reentrant=False)
        (got,) = torch.autograd.grad(again.square().sum(), values)
        checkpoint(net, values, use_reentrant=False).square().sum().backward()
    assert torch.equal(got, wanted)
    assert values.grad is not None
    assert torch.equal(values.grad, wanted)


def test_what_is_computed_again_goes_through_onednn(monkeypatch: pytest.MonkeyPatch) -> None:
    products = []
    product = module._product

    def counted(*tensors: Tensor) -> Tensor:
        products.append(tensors[0].shape)
        return product(*tensors)

    monkeypatch.setattr(module, "_product", counted)
    layer, values = nn.Linear(7, 13).requires_grad_(False), torch.randn(11, 7, requires_grad=True)
    with fast_linear():
        out = checkpoint(lambda x: layer(x).square(), values, use_reentrant=False)
        out.sum().backward()
    assert products == [(11, 7), (11, 7), (11, 13)], "forward, forward again, backward"


def test_torch_is_as_before_when_all_have_left() -> None:
    before = F.linear
    one, two = fast_linear(), fast_linear()
    one.__enter__()
    two.__enter__()
    one.__exit__(None, None, None)  # another order than they came in, as of two threads
    assert F.linear is not before
    two.__exit__(None, None, None)
    assert F.linear is before
    with pytest.raises(ZeroDivisionError), fast_linear():
        _ = 1 / 0
    assert F.linear is before


def test_arguments_may_be_named() -> None:
    values, weight, bias = torch.randn(11, 7), torch.randn(13, 7), torch.randn(13)
    with fast_linear():
        got = F.linear(bias=bias, weight=weight, input=values)
    torch.testing.assert_close(got, values @ weight.t() + bias, rtol=1e-5, atol=1e-5)
