from __future__ import annotations

from types import ModuleType

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lstta_core.attention import MaskedAttention, attend

FEW = settings(max_examples=30, deadline=None)


@pytest.mark.parametrize("with_bias", [False, True])
def test_attention_equals_naive_loop_and_its_gradients(naive: ModuleType, with_bias: bool) -> None:
    torch.manual_seed(0)
    module = MaskedAttention(width=6, heads=3).double()
    queries = torch.randn(2, 3, 6, dtype=torch.float64, requires_grad=True)
    keys = torch.randn(2, 5, 6, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(2, 3, 5, dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[True, False, True, True, False], [False, True, True, False, True]])
    leaves = [queries, keys, *module.parameters(), *([bias] if with_bias else [])]
    weights = torch.randn(2, 3, 6, dtype=torch.float64)

    got = module(queries, keys, mask, bias if with_bias else None)
    zero = torch.zeros(3, dtype=torch.float64)
    wanted = torch.stack(
        [
            torch.stack(
                [
                    naive.attention(
                        queries[b, q],
                        [keys[b, k] for k in range(5) if mask[b, k]],
                        [bias[b, :, k] if with_bias else zero for k in range(5) if mask[b, k]],
                        module,
                    )
                    for q in range(3)
                ]
            )
            for b in range(2)
        ]
    )
    torch.testing.assert_close(got, wanted)
    gradients = torch.autograd.grad((got * weights).sum(), leaves)
    references = torch.autograd.grad((wanted * weights).sum(), leaves)
    for one, two in zip(gradients, references, strict=True):
        torch.testing.assert_close(one, two)


def test_nothing_to_see_gives_zeros_and_finite_gradients() -> None:
    module = MaskedAttention(width=6, heads=2)
    queries, keys = torch.randn(2, 3, 6, requires_grad=True), torch.randn(2, 5, 6, requires_grad=True)
    mask = torch.tensor([[False] * 5, [True] * 5])
    out = module(queries, keys, mask, torch.randn(2, 2, 5))
    assert torch.equal(out[0], torch.zeros(3, 6))
    assert out[1].all()
    out.square().sum().backward()
    for leaf in (queries, keys, *module.parameters()):
        assert leaf.grad is not None
        assert leaf.grad.isfinite().all()
    assert queries.grad is not None
    assert not queries.grad[0].any()


@FEW
@given(hidden=st.integers(1, 4), seen=st.integers(1, 5), seed=st.integers(0, 99))
def test_hidden_keys_change_nothing_to_the_bit(hidden: int, seen: int, seed: int) -> None:
    torch.manual_seed(seed)
    module = MaskedAttention(width=6, heads=3)
    queries, keys = torch.randn(2, 3, 6), torch.randn(2, seen + hidden, 6)
    mask = torch.arange(seen + hidden).expand(2, -1) < seen
    other = torch.where(mask[..., None], keys, 7 * torch.randn_like(keys))
    assert torch.equal(module(queries, keys, mask), module(queries, other, mask))


def test_gradcheck() -> None:
    torch.manual_seed(0)
    module = MaskedAttention(width=4, heads=2).double()
    mask = torch.tensor([[True, False, True], [False, False, False]])
    shapes = ((2, 2, 4), (2, 3, 4), (2, 2, 3))
    inputs = [torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    assert torch.autograd.gradcheck(lambda q, k, bias: module(q, k, mask, bias), inputs)


def test_any_number_of_heads_goes_with_any_width() -> None:
    module = MaskedAttention(width=7, heads=4)
    assert module.query.weight.shape == (8, 7)
    out = module(torch.randn(2, 3, 7), torch.randn(2, 5, 7), torch.ones(2, 5, dtype=torch.bool))
    assert out.shape == (2, 3, 7)
    with pytest.raises(ValueError, match="at least one head, got heads=0"):
        MaskedAttention(width=6, heads=0)


@pytest.mark.parametrize("autocast", [False, True])
def test_half_precision_on_a_cpu_attends_in_float32_and_gives_half_back(
    monkeypatch: pytest.MonkeyPatch, autocast: bool
) -> None:
    computed = []
    kernel = torch.nn.functional.scaled_dot_product_attention

    def seen(*args: torch.Tensor, attn_mask: torch.Tensor) -> torch.Tensor:
        computed.append({one.dtype for one in (*args, attn_mask)})
        return kernel(*args, attn_mask=attn_mask)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", seen)
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, 3, n, 5).to(torch.bfloat16).requires_grad_() for n in (7, 11, 11))
    bias = torch.randn(2, 1, 1, 11).to(torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        got = attend(q, k, v, bias)
    assert computed == [{torch.float32}]
    assert got.dtype == torch.bfloat16
    scores = q.double() @ k.double().transpose(-1, -2) / 5**0.5 + bias.double()
    wanted = scores.softmax(-1) @ v.double()
    assert torch.equal(got, wanted.to(torch.bfloat16)) or (got - wanted).abs().max() < 2**-8 * wanted.abs().max()
    weights = torch.randn(2, 3, 7, 5).to(torch.bfloat16)
    for mine, reference in zip(
        torch.autograd.grad((got * weights).sum(), (q, k, v)),
        torch.autograd.grad((wanted * weights.double()).sum(), (q, k, v)),
        strict=True,
    ):
        assert mine.dtype == torch.bfloat16
        assert (mine - reference).abs().max() < 2**-7 * reference.abs().max()


def test_other_precisions_are_attended_in_as_they_are() -> None:
    q, k, v = (torch.randn(2, 3, n, 5, dtype=torch.float64) for n in (7, 11, 11))
    assert attend(q, k, v, torch.ones(2, 1, 1, 11, dtype=torch.bool)).dtype == torch.float64
