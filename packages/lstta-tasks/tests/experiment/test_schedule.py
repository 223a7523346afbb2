"""The learning rate over a training, against the formula; schedules that end too soon."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from mmengine.optim import CosineAnnealingLR, LinearLR, MultiStepLR
from small_world import World

from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.param_scheduler import check_ends
from lstta_tasks.experiment.runner import course, schedulers_of
from lstta_tasks.training.train import train

COSINE = {"type": CosineAnnealingLR, "T_max": 5, "by_epoch": True, "begin": 0, "end": 5, "convert_to_iter_based": True}


def test_it_follows_the_epochs(world: World) -> None:
    given = {"param_scheduler": None, "schedule": {"warmup_steps": 7}, "train_cfg.max_epochs": 5}
    warmup, cosine = schedulers_of(load_config(world.config, given))
    assert cosine == COSINE
    assert (warmup["end"], warmup["by_epoch"], warmup["start_factor"]) == (7, False, 0.01)


def test_the_kinds() -> None:
    assert course(3, decay="none") == []
    (linear,) = course(3, decay="linear")
    assert (linear["type"], linear["end_factor"], linear["end"]) == (LinearLR, 0.0, 3)
    warmup, _ = course(3, warmup_epochs=2)
    assert (warmup["end"], warmup["by_epoch"], warmup["convert_to_iter_based"]) == (2, True, True)


def test_the_rates_of_a_run(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []
    monkeypatch.setattr(
        "lstta_tasks.training.train.SeedHook.before_train_iter",
        lambda self, runner, batch_idx, data_batch=None: rates.append(runner.optim_wrapper.get_lr()["lr"][0]),
    )
    given = {"param_scheduler": None, "schedule": {"warmup_steps": 3}, "optim_wrapper.optimizer.lr": 0.5}
    train(load_config(world.config, given), work_dir=tmp_path)
    steps = len(rates)  # 3 epochs
    assert steps == 18

    def expected(step: int) -> float:
        warmup = 0.01 + (1 - 0.01) * min(step, 2) / 2
        return 0.5 * warmup * (1 + math.cos(math.pi * step / steps)) / 2

    assert rates == pytest.approx([expected(step) for step in range(steps)], abs=1e-6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"schedule": {"warmup_steps": 3}},
            r"said twice, in schedule=\{'warmup_steps': 3\} and in param_scheduler of 1",
        ),
        ({"param_scheduler": None}, r"the config lacks schedule or param_scheduler"),
        ({"param_scheduler": None, "schedule": {"decay": "cosinus"}}, r"schedule.decay: one of cosine, linear, none"),
        ({"param_scheduler": None, "schedule": {"warmup": 3}}, r"schedule.warmup: nothing reads it; did you mean"),
        ({"param_scheduler": None, "schedule": {"warmup_steps": -1}}, r"schedule.warmup_steps: .* got -1"),
        ({"param_scheduler": None, "schedule": {"warmup_steps": 1, "warmup_epochs": 2}}, r"give one of the two"),
    ],
)
def test_mistakes(world: World, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load_config(world.config, options)


@pytest.mark.parametrize(
    ("scheduler", "said"),
    [
        (COSINE, r"param_scheduler.0.end: CosineAnnealingLR ends after 5 epochs, training after 7"),
        (COSINE | {"end": 7}, r"param_scheduler.0.T_max: .* ends after 5 epochs"),
        (
            {"type": LinearLR, "start_factor": 1.0, "end_factor": 0.0, "by_epoch": False, "end": 20},
            r"LinearLR ends after 20 steps, training after 21",
        ),
    ],
)
def test_one_that_ends_before_training_does(scheduler: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_ends([scheduler], epochs=7, steps=3)


def test_what_may_end_when_it_likes() -> None:
    warmup = {"type": LinearLR, "start_factor": 0.1, "by_epoch": False, "end": 2}
    check_ends([warmup, {"type": MultiStepLR, "milestones": [2]}, COSINE], epochs=5, steps=3)
    check_ends([COSINE], epochs=4, steps=3)


def test_nothing_is_written_before_it_is_refused(world: World, tmp_path: Path) -> None:
    given = {"param_scheduler": [COSINE | {"end": 2, "T_max": 2}]}
    with pytest.raises(ValueError, match=r"ends after 2 epochs, training after 3"):
        train(load_config(world.config, given), work_dir=tmp_path / "run")
    assert not (tmp_path / "run").exists()
