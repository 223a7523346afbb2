from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from lstta_core.methods.projections import BATCHES, Down, Up

D, R = 13, 5


def batches(count: int, *, seed: int = 0) -> list[tuple[Tensor, Tensor]]:
    """Tokens (2, 3, 7, D) with a part in common, and masks."""
    generator = torch.Generator().manual_seed(seed)
    common = 9 * torch.randn(D, generator=generator, dtype=torch.float64)
    return [
        (
            common + torch.randn(2, 3, 7, D, generator=generator, dtype=torch.float64),
            torch.rand(2, 3, 7, generator=generator) < 0.7,
        )
        for _ in range(count)
    ]


def test_statistics_are_those_of_all_tokens_of_the_first_batches() -> None:
    down, seen = Down(D, R).double(), batches(BATCHES + 3)
    for tokens, mask in seen:
        down.measure(tokens, mask)
    rows = torch.cat([torch.nn.functional.layer_norm(x, (D,))[mask] for x, mask in seen[:BATCHES]])
    torch.testing.assert_close(down.mean, rows.mean(0))
    torch.testing.assert_close(down.variance, rows.var(0, unbiased=False))
    assert (int(down.batches), int(down.tokens)) == (BATCHES, len(rows))


def test_what_goes_in_is_standardised() -> None:
    torch.manual_seed(1)
    down, (first, *others) = Down(D, R).double(), batches(3)
    plain = torch.nn.Linear(D, R).double()
    plain.weight, plain.bias = down.weight, down.bias
    x = others[0][0]
    torch.testing.assert_close(down(x), plain(torch.nn.functional.layer_norm(x, (D,))), rtol=1e-4, atol=1e-4)
    down.measure(*first)
    normed = torch.nn.functional.layer_norm(x, (D,))
    torch.testing.assert_close(down(x), plain((normed - down.mean) / (down.variance + 1e-5).sqrt()))


def test_batches_without_any_token_count_for_nothing() -> None:
    down, (tokens, mask) = Down(D, R).double(), batches(1)[0]
    down.measure(tokens, torch.zeros_like(mask))
    assert (int(down.batches), int(down.tokens)) == (0, 0)
    assert torch.equal(down.variance, torch.ones(D, dtype=torch.float64))
    down.measure(tokens, mask)
    before = copy.deepcopy(down.state_dict())
    down.measure(tokens + torch.nan, torch.zeros_like(mask))
    assert all(torch.equal(value, before[name]) for name, value in down.state_dict().items())


def test_measuring_goes_on_where_a_loaded_state_stood() -> None:
    seen = batches(BATCHES + 5)
    whole, first = Down(D, R).double(), Down(D, R).double()
    for tokens, mask in seen[:17]:
        first.measure(tokens, mask)
    second = Down(D, R).double()
    second.load_state_dict(first.state_dict())
    for tokens, mask in seen:
        whole.measure(tokens, mask)
    for tokens, mask in seen[17:]:
        second.measure(tokens, mask)
    assert torch.equal(second.mean, whole.mean)
    assert torch.equal(second.variance, whole.variance)


def test_what_is_added_is_bounded_as_said() -> None:
    torch.manual_seed(2)
    up = Up(R, D).double()
    torch.nn.init.normal_(up.weight)
    x, y = torch.randn(3, 7, D).double(), torch.randn(3, 7, R).double()
    y[0, 0] = 0
    for scale in (1e-6, 1.0, 1e6):
        got = up(x, scale * y) - x
        for clip, token in ((c, t) for c in range(3) for t in range(7)):
            u = up.weight @ (scale * y[clip, token])
            wanted = u / (1 + u.square().sum() / x[clip, token].square().sum()).sqrt()
            torch.testing.assert_close(got[clip, token], wanted, rtol=1e-6, atol=1e-9)
            assert got[clip, token].norm() <= x[clip, token].norm() * (1 + 1e-9)


def test_gradients_of_the_bound_take_the_tokens_length_as_given() -> None:
    torch.manual_seed(3)
    up = Up(R, D).double()
    torch.nn.init.normal_(up.weight)
    x = torch.randn(4, D).double().requires_grad_()
    y = torch.randn(4, R).double().requires_grad_()
    length = x.detach().square().sum(1, keepdim=True)

    def naive(x: Tensor, y: Tensor) -> Tensor:
        u = y @ up.weight.T
        return x + u / (1 + u.square().sum(1, keepdim=True) / length).sqrt()

    weights = torch.randn(4, D).double()
    leaves = (x, y, up.weight)
    got = torch.autograd.grad((up(x, y) * weights).sum(), leaves)
    for one, two in zip(got, torch.autograd.grad((naive(x, y) * weights).sum(), leaves), strict=True):
        torch.testing.assert_close(one, two)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_token_of_length_zero_and_a_fresh_weight_leave_no_nan(dtype: torch.dtype) -> None:
    up = Up(R, D).to(dtype)
    x, y = torch.zeros(2, D, dtype=dtype), torch.randn(2, R).to(dtype).requires_grad_()
    assert torch.equal(up(x, y), x)
    torch.nn.init.normal_(up.weight)
    out = up(x, y)
    out.sum().backward()
    assert out.isfinite().all()
    assert y.grad is not None
    assert y.grad.isfinite().all()
