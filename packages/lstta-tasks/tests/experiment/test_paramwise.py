"""Rates and weight decay of parts: MMEngine's rules, on top of rates by inputs."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from mmengine.optim import DefaultOptimWrapperConstructor
from small_world import World
from torch import nn

from lstta_core.rates import parameter_groups
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.paramwise import split_groups
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.runner import optim_wrapper

RATE, DECAY = 0.25, 0.5


class Small(nn.Module):
    """Two parts that train, and one that does not."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Linear(3, 5)
        self.encoder.requires_grad_(False)
        self.readout = nn.Sequential(nn.Linear(7, 5), nn.LayerNorm(5))
        self.head = nn.Sequential(nn.Linear(5, 2), nn.BatchNorm1d(2))
        self.offset = nn.Parameter(torch.zeros(3))


def of_ours(settings: dict[str, Any], *, full: int | None = None) -> dict[str, tuple[float, float]]:
    model = Small()
    groups = split_groups(parameter_groups(model, lr=RATE, full=full), model, settings, decay=DECAY)
    names = {parameter: name for name, parameter in model.named_parameters()}
    return {names[p]: (group["lr"], group.get("weight_decay", DECAY)) for group in groups for p in group["params"]}


def of_mmengine(settings: dict[str, Any]) -> dict[str, tuple[float, float]]:
    model = Small()
    optimizer = {"type": "SGD", "lr": RATE, "weight_decay": DECAY}
    wrapper = DefaultOptimWrapperConstructor({"type": "OptimWrapper", "optimizer": optimizer}, settings)(model)
    names = {parameter: name for name, parameter in model.named_parameters()}
    groups = wrapper.optimizer.param_groups
    return {names[p]: (group["lr"], group["weight_decay"]) for group in groups for p in group["params"]}


@pytest.mark.parametrize(
    "settings",
    [
        {"norm_decay_mult": 0.0},
        {"bias_decay_mult": 0.0},
        {"flat_decay_mult": 0.0, "bias_lr_mult": 2.0},
        {"norm_decay_mult": 0.0, "bias_decay_mult": 0.125, "flat_decay_mult": 0.25, "bias_lr_mult": 4.0},
        {"custom_keys": {"readout": {"lr_mult": 0.5}, "head": {"lr_mult": 2.0, "decay_mult": 0.0}}},
        {"custom_keys": {"readout": {"lr_mult": 0.5}, "readout.1": {"lr_mult": 0.0}}, "norm_decay_mult": 0.0},
    ],
)
def test_the_rules_are_mmengines(settings: dict[str, Any]) -> None:
    ours = of_ours(settings)
    assert ours == of_mmengine(settings)
    assert "encoder.weight" not in ours
    assert len(set(ours.values())) > 1


def test_factors_multiply_the_rates_by_inputs() -> None:
    ours = of_ours({"custom_keys": {"readout": {"lr_mult": 2.0}}}, full=5)
    assert ours["readout.0.weight"] == (RATE * 2 * 5 / 7, DECAY)
    assert ours["head.0.weight"] == (RATE, DECAY)


def test_parts_of_a_network_have_rates_of_their_own(world: World) -> None:
    keys = {"adapters": {"lr_mult": 0.5}, "readout": {"decay_mult": 0.0}, "head": {"lr_mult": 3.0}}
    config = load_config(world.config, {"optim_wrapper.paramwise_cfg": {"custom_keys": keys}})
    model = Experiment(config).model
    wrapper = optim_wrapper(config, model, amp=False)
    names = {parameter: name for name, parameter in model.named_parameters()}
    found = {names[p]: (g["lr"], g["weight_decay"]) for g in wrapper.optimizer.param_groups for p in g["params"]}
    assert found.keys() == {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    for name, rates in found.items():
        part = next(part for part in keys if part in name)
        assert rates == {"adapters": (0.01, 0.01), "readout": (0.02, 0.0), "head": (0.06, 0.01)}[part]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"norm_decay": 0}, r"paramwise_cfg.norm_decay: nothing reads it; did you mean 'norm_decay_mult'\?"),
        ({"norm_decay_mult": -1}, r"paramwise_cfg.norm_decay_mult: a number, 0 or more is wanted, got -1"),
        ({"custom_keys": ["head"]}, r"custom_keys: a dict by parts of parameters' names is wanted, got \['head'\]"),
        ({"custom_keys": {"head": 2.0}}, r"custom_keys.head: a dict is wanted, got 2.0"),
        (
            {"custom_keys": {"head": {"lr": 2.0}}},
            r"custom_keys.head.lr: nothing reads it; there are lr_mult, decay_mult",
        ),
        ({"custom_keys": {"head": {"lr_mult": "2"}}}, r"custom_keys.head.lr_mult: a number, 0 or more is wanted"),
        ({"dwconv_decay_mult": 0.0}, r"dwconv_decay_mult: no part that trains has depthwise convolutions"),
        ({"bypass_duplicate": True}, r"bypass_duplicate: a parameter that modules share is in one group always"),
    ],
)
def test_what_is_refused(world: World, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load_config(world.config, {"optim_wrapper.paramwise_cfg": settings})


def test_a_part_that_nothing_is_called_is_refused_with_those_there_are(world: World) -> None:
    config = load_config(world.config, {"optim_wrapper.paramwise_cfg": {"custom_keys": {"haed": {"lr_mult": 2.0}}}})
    with pytest.raises(
        ValueError, match=r"custom_keys.haed: no parameter .*there are trimodal.adapters, readout, head"
    ):
        optim_wrapper(config, Experiment(config).model, amp=False)


def test_a_factor_of_weight_decay_wants_one(world: World) -> None:
    options: dict[str, Any] = {"optimizer": {"_delete_": True, "type": "torch.optim.AdamW", "lr": 0.1}}
    config = load_config(world.config, {"optim_wrapper": {**options, "paramwise_cfg": {"norm_decay_mult": 0.0}}})
    with pytest.raises(ValueError, match=r"optim_wrapper.optimizer.weight_decay: it is missing"):
        optim_wrapper(config, Experiment(config).model, amp=False)
