"""Every operator that is counted: MACs forward and backward against the formula and against torch's own counter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.profiling import MacCount, Macs, UncountedError, count_module_macs
from lstta_core.profiling.handlers import HANDLERS
from lstta_core.testing.torch_counter import macs_by_torch

B, H, N, K, D, E = 2, 3, 5, 7, 11, 13
Function = Callable[..., Tensor]


class Called(nn.Module):
    """A function of tensors as a module; the sum of what it gives is a loss."""

    def __init__(self, function: Function) -> None:
        super().__init__()
        self.function = function

    def forward(self, *tensors: Tensor) -> Tensor:
        return self.function(*tensors).sum()


def count(function: Function, *tensors: Tensor) -> MacCount:
    return count_module_macs(Called(function), *tensors)


def real(*shape: int, trains: bool = True) -> Tensor:
    return torch.randn(shape).requires_grad_(trains)


class Case:
    """An operator, the shapes of what it multiplies, and its MACs forward."""

    def __init__(self, name: str, function: Function, shapes: list[tuple[int, ...]], macs: int) -> None:
        self.name, self.function, self.shapes, self.macs = name, function, shapes, macs


def einsum(equation: str) -> Function:
    return lambda *tensors: torch.einsum(equation, *tensors)


def added(product: Function, *shape: int) -> Function:
    return lambda a, b: product(torch.zeros(shape), a, b)


PRODUCTS = [
    Case("linear", F.linear, [(B, N, D), (E, D)], B * N * D * E),
    Case("matmul", torch.matmul, [(B, N, D), (B, D, E)], B * N * D * E),
    Case("matmul that broadcasts its first operand", torch.matmul, [(N, D), (B, D, E)], B * N * D * E),
    Case("matmul that broadcasts both", torch.matmul, [(B, 1, N, D), (H, D, E)], B * H * N * D * E),
    Case("mm", torch.mm, [(N, D), (D, E)], N * D * E),
    Case("bmm", torch.bmm, [(B, N, D), (B, D, E)], B * N * D * E),
    Case("addmm", added(torch.addmm, E), [(N, D), (D, E)], N * D * E),
    Case("baddbmm", added(torch.baddbmm, B, N, E), [(B, N, D), (B, D, E)], B * N * D * E),
    Case("conv1d", partial(F.conv1d, stride=2), [(B, D, 9), (E, D, 3)], B * E * 4 * D * 3),
    Case("conv2d", partial(F.conv2d, padding=1), [(B, D, N, K), (E, D, 3, 3)], B * E * N * K * D * 9),
    Case("conv3d", F.conv3d, [(B, D, 3, N, K), (E, D, 2, 1, 1)], B * E * 2 * N * K * D * 2),
    Case("conv transposed", F.conv_transpose1d, [(B, D, N), (D, E, 3)], B * D * N * E * 3),
    Case("conv, padding by word", partial(F.conv1d, padding="same"), [(B, D, N), (E, D, 3)], B * E * N * D * 3),
    Case("einsum", einsum("bnd,de->bne"), [(B, N, D), (D, E)], B * N * D * E),
    Case("einsum, ellipsis", einsum("...nd, ...n -> ...d"), [(B, H, N, D), (B, H, N)], B * H * N * D),
    Case("einsum that broadcasts", einsum("...nd,...dk->...nk"), [(B, 1, N, D), (H, D, K)], B * H * N * D * K),
]


@pytest.mark.parametrize("case", PRODUCTS, ids=lambda case: case.name)
class TestProducts:
    """One more product for each operand that wants a gradient."""

    @pytest.mark.parametrize("trains", [(True, True), (True, False), (False, True)])
    def test_it_is_the_formula_and_what_torch_counts(self, case: Case, trains: tuple[bool, bool]) -> None:
        operands = [real(*shape, trains=on) for shape, on in zip(case.shapes, trains, strict=True)]
        total = count(case.function, *operands).total
        assert total == Macs(case.macs, case.macs * sum(trains))
        assert total == macs_by_torch(lambda: case.function(*operands).sum())

    def test_nothing_trains(self, case: Case) -> None:
        operands = [real(*shape, trains=False) for shape in case.shapes]
        assert count(case.function, *operands).total == Macs(case.macs, 0)


def test_grouped_convolution() -> None:
    """Torch's counter takes the weight's gradient too high here, so only the input's is compared."""
    x, w = real(B, 6, N), real(9, 2, 3, trains=False)
    total = count(lambda x, w: F.conv1d(x, w, padding=1, groups=3), x, w).total
    assert total == Macs(B * 9 * N * 2 * 3, B * 9 * N * 2 * 3)
    assert total == macs_by_torch(lambda: F.conv1d(x, w, padding=1, groups=3).sum())


def test_products_of_vectors() -> None:
    """Torch's counter does not see them."""
    assert count(torch.mv, real(N, D), real(D)).total == Macs(N * D, 2 * N * D)
    assert count(torch.dot, real(D), real(D, trains=False)).total == Macs(D, D)


class TestAttention:
    """Two products forward; backward those of the operands that want gradients."""

    QUERY, KEY, VALUE = (B, H, N, D), (B, H, K, D), (B, H, K, E)
    SCORES, MIXING = B * H * N * K * D, B * H * N * K * E

    @pytest.mark.parametrize("trains", [(q, k, v) for q in (0, 1) for k in (0, 1) for v in (0, 1)])
    def test_it_is_the_formula_and_what_torch_counts(self, trains: tuple[int, int, int]) -> None:
        shapes = (self.QUERY, self.KEY, self.VALUE)
        tensors = [real(*shape, trains=bool(on)) for shape, on in zip(shapes, trains, strict=True)]
        query, key, value = trains
        total = count(F.scaled_dot_product_attention, *tensors).total
        backward = self.SCORES * (query + key) + self.MIXING * (value + (query or key))
        assert total == Macs(self.SCORES + self.MIXING, backward)
        if any(trains):
            assert total == macs_by_torch(lambda: F.scaled_dot_product_attention(*tensors).sum())

    def test_a_mask_saves_nothing(self) -> None:
        mask = torch.rand(B, 1, N, K) < 0.5
        mask[..., 0] = True
        tensors = [real(*shape) for shape in (self.QUERY, self.KEY, self.VALUE)]
        masked = count(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=mask), *tensors)
        assert masked.total == count(F.scaled_dot_product_attention, *tensors).total

    def test_shared_keys_count_for_every_query_head(self) -> None:
        q, k, v = real(B, 6, N, D), real(B, 2, K, D), real(B, 2, K, D)
        total = count(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True), q, k, v).total
        assert total.forward == 2 * B * 6 * N * K * D
        assert total == macs_by_torch(lambda: F.scaled_dot_product_attention(q, k, v, enable_gqa=True).sum())

    def test_a_whole_multi_head_attention(self) -> None:
        class Heard(nn.MultiheadAttention):
            def forward(self, x: Tensor, y: Tensor) -> Tensor:
                return super().forward(x, y, y)[0].sum()

        layer = Heard(12, 3, batch_first=True)
        x, y = real(B, N, 12), real(B, K, 12)
        total = count_module_macs(layer, x, y).total
        forward = B * (2 * N + 2 * K) * 12 * 12 + 2 * B * N * K * 12
        assert total == Macs(forward, 2 * forward)
        assert total == macs_by_torch(lambda: layer(x, y))

    def test_the_fused_multi_head_attention(self) -> None:
        """As its fast path calls it where nothing trains."""
        layer = nn.MultiheadAttention(12, 3, batch_first=True).requires_grad_(False)

        def fused(x: Tensor) -> Tensor:
            weights = layer.in_proj_weight, layer.in_proj_bias, layer.out_proj.weight, layer.out_proj.bias
            return torch._native_multi_head_attention(x, x, x, 12, 3, *weights)[0]

        x = real(B, N, 12, trains=False)
        plain = count(lambda x: layer(x, x, x)[0], x)
        assert count(fused, x).total == plain.total == Macs(4 * B * N * 144 + 2 * B * N * N * 12, 0)


class TestWhatHasNoBackward:
    def test_a_result_that_the_loss_does_not_need(self) -> None:
        class Pooled(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.map, self.pool = nn.Linear(D, D), nn.Linear(D, E)

            def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
                tokens = self.map(x)
                return tokens.sum(), self.pool(tokens)

        counted = count_module_macs(Pooled(), real(N, D, trains=False))
        assert counted.parts == {("map",): Macs(N * D * D, N * D * D), ("pool",): Macs(N * D * E, 0)}

    def test_a_change_in_place_counts_as_used(self) -> None:
        def write(x: Tensor, w: Tensor) -> Tensor:
            room = torch.zeros(N, E)
            room[:] = x @ w
            return room

        assert count(write, real(N, D), real(D, E)).total == Macs(N * D * E, 2 * N * D * E)


class Doubled(torch.autograd.Function):
    """What is written in Python hides its products."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x @ x.T

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient


class TestUncounted:
    def test_what_works_element_by_element_is_named(self) -> None:
        counted = count(lambda x, w: F.layer_norm(F.gelu(x @ w).softmax(-1), (E,)), real(N, D), real(D, E))
        assert counted.uncounted == {"gelu": 1, "layer_norm": 1, "softmax": 1, "sum": 1}

    def test_views_and_masks_are_not_named(self) -> None:
        counted = count(lambda x: x.view(B, -1).masked_fill(x.view(B, -1) > 0, 0.0).transpose(0, 1), real(B, D, E))
        assert counted.uncounted == {"sum": 1}

    def test_fourier_transforms_are_named(self) -> None:
        counted = count(lambda x: torch.stft(x, 8, 4, window=torch.ones(8), return_complex=True).real, real(B, 64))
        assert "stft" in counted.uncounted

    @pytest.mark.parametrize(
        ("function", "name"),
        [
            (lambda x: nn.LSTM(D, 3)(x)[0], "aten::lstm"),
            (lambda x: nn.GRU(D, 3)(x)[0], "aten::gru"),
            (lambda x: torch.cdist(x, x), "aten::cdist"),
            (lambda x: torch.tensordot(x, x, dims=([1], [1])), "aten::tensordot"),
            (Doubled.apply, "prim::PythonOp.Doubled"),
        ],
    )
    def test_hidden_products_are_an_error(self, function: Function, name: str) -> None:
        with pytest.raises(UncountedError, match=name):
            count(function, real(N, D))

    def test_attention_without_a_handler_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(HANDLERS, "aten::scaled_dot_product_attention")
        with pytest.raises(UncountedError, match=r"aten::scaled_dot_product_attention.*would be too low"):
            count(F.scaled_dot_product_attention, *[real(B, H, N, D)] * 3)

    def test_einsum_of_three_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="write it as several"):
            count(lambda x: torch.einsum("ab,ac,ad->bcd", x, x, x), real(N, D))

    def test_a_handler_of_ones_own(self) -> None:
        def cdist(inputs: list[Any], outputs: list[Any]) -> Counter[str]:
            return Counter(forward=N * N * D)

        counted = count_module_macs(Called(lambda x: torch.cdist(x, x)), real(N, D), handlers={"aten::cdist": cdist})
        assert counted.total == Macs(N * N * D, 0)
