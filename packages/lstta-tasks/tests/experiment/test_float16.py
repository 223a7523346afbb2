"""Frozen weights in float16: the loss is scaled, steps that overflow are left out, a run goes on as the whole one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from small_world import World

from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate
from lstta_tasks.experiment.float16 import ScaledOptimWrapper
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.runner import optim_wrapper
from lstta_tasks.training.checkpoints import last_checkpoint
from lstta_tasks.training.train import train

HALF = {"model.frozen_dtype": "float16"}


def wrapped(weight: torch.nn.Parameter, **options: Any) -> ScaledOptimWrapper:
    return ScaledOptimWrapper(optimizer=torch.optim.SGD([weight], lr=0.5), device="cpu", **options)


def test_a_step_is_that_of_the_loss_itself() -> None:
    """Clipped gradients too: they are clipped as they are, not as they were scaled."""
    for options in ({}, {"clip_grad": {"max_norm": 1.0}}):
        weights = [torch.nn.Parameter(torch.tensor([3.0, -5.0])) for _ in range(2)]
        scaled = wrapped(weights[0], **options)
        plain = OptimWrapper(optimizer=torch.optim.SGD([weights[1]], lr=0.5), **{k: {**v} for k, v in options.items()})
        for wrapper, weight in zip((scaled, plain), weights, strict=True):
            wrapper.update_params((weight**2).sum())
        torch.testing.assert_close(weights[0], weights[1])


def test_a_step_that_overflows_is_left_out_and_the_scale_halved() -> None:
    weight = torch.nn.Parameter(torch.tensor([3.0]))
    scaled = wrapped(weight)
    before = scaled.scaler.get_scale()
    scaled.update_params((weight * torch.inf).sum())
    assert weight.item() == 3.0
    assert scaled.scaler.get_scale() == before / 2


def test_a_run_learns_goes_on_and_is_loaded(world: World, tmp_path: Path) -> None:
    """Going on is to the bit, the scale included."""
    two = {**HALF, "train_cfg.max_epochs": 2}
    train(load_config(world.config, two), work_dir=tmp_path / "whole")
    train(load_config(world.config, {**HALF, "train_cfg.max_epochs": 1}), work_dir=tmp_path / "cut")
    train(load_config(world.config, two), work_dir=tmp_path / "cut", resume=True)
    whole, cut = (torch.load(last_checkpoint(tmp_path / name), weights_only=True) for name in ("whole", "cut"))
    for name, tensor in whole["state_dict"].items():
        assert tensor.dtype != torch.float16
        assert torch.equal(tensor, cut["state_dict"][name]), name
    assert whole["optimizer"]["loss_scaler"] == cut["optimizer"]["loss_scaler"]
    report, _ = evaluate(load_config(world.config, HALF), tmp_path / "whole" / "best", "val")
    assert report.value("overall") > 0


@pytest.mark.parametrize(
    ("frozen", "has_bfloat16", "half"),
    [(None, True, torch.bfloat16), (None, False, torch.float16), ("float16", True, torch.float16)],
)
def test_amp_is_in_the_half_that_the_card_computes(
    world: World, monkeypatch: pytest.MonkeyPatch, frozen: str | None, has_bfloat16: bool, half: torch.dtype
) -> None:
    asked: dict[str, Any] = {}

    def init(self: AmpOptimWrapper, **options: Any) -> None:
        asked.update(options)

    monkeypatch.setattr(AmpOptimWrapper, "__init__", init)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has_bfloat16)
    config = load_config(world.config, {"model.frozen_dtype": frozen})
    optim_wrapper(config, Experiment(config).model, torch.device("cuda"), amp=True)
    assert asked["dtype"] is half
