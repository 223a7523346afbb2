"""Running statistics against the plain ones of all rows, and what counts for them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import BatchNorm1d

from lstta_core.readout import RunningNorm

WIDTH = 5


def batches(count: int, rows: int) -> Tensor:
    torch.manual_seed(0)
    return 3 + 2 * torch.randn(count, rows, WIDTH, dtype=torch.float64)


def norm(**arguments: float) -> RunningNorm:
    return RunningNorm(WIDTH, **arguments).double()


def everything(x: Tensor) -> Tensor:
    return torch.ones(len(x), dtype=torch.bool)


def test_evaluation_equals_batch_norm_with_the_same_statistics() -> None:
    ours, theirs = norm(), BatchNorm1d(WIDTH).double()
    for x in batches(7, 11):
        ours(x, everything(x))
    torch.nn.init.normal_(ours.weight)
    torch.nn.init.normal_(ours.bias)
    names = {"weight": "weight", "bias": "bias", "running_mean": "mean", "running_var": "variance"}
    state = {name: ours.state_dict()[own] for name, own in names.items()}
    theirs.load_state_dict({**state, "num_batches_tracked": torch.tensor(7)})
    x = batches(1, 13)[0]
    torch.testing.assert_close(ours.eval()(x, everything(x)), theirs.eval()(x))


def test_the_first_batch_is_standardised_by_itself() -> None:
    (x,) = batches(1, 13)
    got = norm(eps=0.0)(x, everything(x))
    torch.testing.assert_close(got, (x - x.mean(0)) / x.std(0, correction=0))


def test_the_mean_is_that_of_all_batches_until_their_number_exceeds_the_momentum() -> None:
    module = norm(momentum=0.25)
    seen = batches(6, 3)
    for x in seen[:4]:
        module(x, everything(x))
    torch.testing.assert_close(module.mean, seen[:4].flatten(0, 1).mean(0))
    expected = module.mean.clone()
    for x in seen[4:]:
        module(x, everything(x))
        expected = 0.75 * expected + 0.25 * x.mean(0)
    torch.testing.assert_close(module.mean, expected)
    assert int(module.batches) == 6


def test_clips_that_lack_the_modality_count_for_nothing_and_get_zeros() -> None:
    some, all_there = norm(), norm()
    for x in batches(3, 11):
        seen = torch.arange(11) % 3 > 0
        junk = x.masked_fill(~seen[:, None], 1e6)
        got = some(junk, seen)
        assert not got[~seen].any()
        torch.testing.assert_close(got[seen], all_there(x[seen], everything(x[seen])))
    before = {name: tensor.clone() for name, tensor in some.state_dict().items()}
    some(torch.full((2, WIDTH), 7.0, dtype=torch.float64), torch.zeros(2, dtype=torch.bool))
    for name, tensor in some.state_dict().items():
        assert torch.equal(tensor, before[name])


@pytest.mark.parametrize("rows", [1, 7])
def test_training_gives_what_evaluation_gives_with_the_statistics_it_leaves(rows: int) -> None:
    module = norm()
    for x in batches(5, rows):
        trained = module(x, everything(x))
    assert torch.isfinite(trained).all()
    before = module.state_dict()["mean"].clone()
    assert torch.equal(module.eval()(x, everything(x)), trained)
    assert torch.equal(module.mean, before)


def test_no_gradient_goes_through_the_statistics() -> None:
    module = norm()
    x = batches(1, 7)[0].requires_grad_()
    (gradient,) = torch.autograd.grad(module(x, everything(x)).sum(), x)
    torch.testing.assert_close(gradient, (module.weight * (module.variance + module.eps).rsqrt()).expand_as(x))


@pytest.mark.parametrize("autocast", [False, True])
def test_follows_low_precision_in_its_own_type(autocast: bool) -> None:
    module = RunningNorm(WIDTH)
    x = batches(1, 7)[0].bfloat16()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        assert module(x, everything(x)).dtype == torch.float32
    torch.testing.assert_close(module.mean, x.float().mean(0))


def test_batches_of_several_processes_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if another process had the other half: all_reduce is called with ours, and adds theirs."""
    (x,) = batches(1, 14)
    ours, theirs = x[:5], x[5:]
    alone, shared = norm(), norm()
    alone(x, everything(x))
    totals = iter([torch.tensor(9.0), theirs.sum(0), (theirs - x.mean(0)).square().sum(0)])
    monkeypatch.setattr("lstta_core.processes.processes", lambda: 2)
    monkeypatch.setattr("lstta_core.processes.dist.all_reduce", lambda total: total.add_(next(totals)))
    shared(ours, everything(ours))
    torch.testing.assert_close(shared.mean, alone.mean)
    torch.testing.assert_close(shared.variance, alone.variance)
