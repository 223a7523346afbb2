from __future__ import annotations

import pytest
import torch
from torch import nn

from lstta_core.methods.lavish import GroupedLinear
from lstta_core.methods.projections import Down, Up
from lstta_core.rates import parameter_groups


def test_each_matrix_has_the_rate_of_its_inputs() -> None:
    model = nn.ModuleDict(
        {
            "narrow": nn.Linear(128, 3),
            "wide": nn.Linear(131, 3),
            "wider": nn.Linear(384, 3, bias=False),
            "patches": nn.Conv2d(3, 5, 7),
            "words": nn.Embedding(11, 509),
            "norm": nn.LayerNorm(509),
            "down": Down(768, 5),
            "up": Up(5, 768),
            "grouped": GroupedLinear(514, 6, 2),
            "frozen": nn.Linear(1024, 2).requires_grad_(False),
        }
    )
    model["vectors"] = nn.ParameterList([nn.Parameter(torch.randn(3, 509))])
    rates = {id(p): group["lr"] for group in parameter_groups(model, lr=1e-3) for p in group["params"]}
    got = {name: rates.get(id(parameter), 0.0) for name, parameter in model.named_parameters()}
    wanted = dict.fromkeys(got, 1e-3) | {
        "wide.weight": 1e-3 * 128 / 131,
        "wider.weight": 1e-3 / 3,
        "patches.weight": 1e-3 * 128 / 147,
        "down.weight": 1e-3 / 6,
        "grouped.weight": 1e-3 * 128 / 257,
        "frozen.weight": 0.0,
        "frozen.bias": 0.0,
    }
    assert got == pytest.approx(wanted, rel=1e-12)
    assert len(rates) == len([p for p in model.parameters() if p.requires_grad])


def test_the_full_rate_comes_first_and_may_be_that_of_all() -> None:
    model = nn.Sequential(nn.Linear(640, 3), nn.Linear(3, 2))
    assert [group["lr"] for group in parameter_groups(model, lr=0.5)] == [0.5, 0.1]
    assert [group["lr"] for group in parameter_groups(model, lr=0.5, full=None)] == [0.5]
    assert [group["lr"] for group in parameter_groups(model, lr=0.5, full=640)] == [0.5]


def test_a_parameter_that_modules_share_is_taken_once() -> None:
    model = nn.Sequential(nn.Linear(131, 7, bias=False), nn.Linear(131, 7, bias=False))
    model[1].weight = model[0].weight
    (group,) = parameter_groups(model, lr=1.0)
    assert len(group["params"]) == 1
    torch.optim.AdamW([group])


@pytest.mark.parametrize("full", [0, -3, 1.5, True, "128"])
def test_other_widths_are_refused(full: object) -> None:
    with pytest.raises(ValueError, match="1 or more, or None"):
        parameter_groups(nn.Linear(2, 3), lr=1.0, full=full)  # type: ignore[arg-type]
