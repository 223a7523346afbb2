"""Training by epochs or by steps: one length, and a schedule that follows it."""

from __future__ import annotations

from typing import Any

import pytest
from small_world import World

from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.length import Length, length_of
from lstta_tasks.experiment.runner import schedulers_of

STEPS: dict[str, Any] = {"train_cfg.by_epoch": False, "train_cfg.max_iters": 14, "train_cfg.max_epochs": None}
BY_STEPS: dict[str, Any] = {**STEPS, "train_cfg.val_interval": 4, "param_scheduler": None}


def test_by_steps(world: World) -> None:
    config = load_config(world.config, BY_STEPS | {"schedule": {"warmup_steps": 3}})
    assert length_of(config) == Length(14, by_epoch=False)
    assert config.train_cfg == {"by_epoch": False, "max_iters": 14, "val_interval": 4}
    warmup, cosine = schedulers_of(config)
    assert (warmup["end"], warmup["by_epoch"]) == (3, False)
    assert (cosine["end"], cosine["T_max"], cosine["by_epoch"]) == (14, 14, False)
    assert "convert_to_iter_based" not in cosine


def test_by_epochs_said(world: World) -> None:
    config = load_config(world.config, {"train_cfg.by_epoch": True})
    assert length_of(config) == Length(3, by_epoch=True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({**BY_STEPS, "train_cfg.max_epochs": 3}, r"train_cfg.max_epochs=3 and max_iters=14: with by_epoch=False"),
        ({"train_cfg.max_iters": 14}, r"train_cfg.max_iters=14 and max_epochs=3: with by_epoch=True max_epochs says"),
        ({**BY_STEPS, "train_cfg.max_iters": 0}, r"train_cfg.max_iters: a whole number, 1 or more is wanted, got 0"),
        ({**BY_STEPS, "train_cfg.val_interval": 1}, r"train_cfg.val_interval=1: with by_epoch=False it counts steps"),
        ({**BY_STEPS, "train_cfg.by_epoch": "no"}, r"train_cfg.by_epoch: True or False is wanted, got 'no'"),
        ({**BY_STEPS, "train_cfg.max_iter": 3}, r"train_cfg.max_iter: nothing reads it; did you mean 'max_iters'\?"),
        (
            {**STEPS, "train_cfg.val_interval": 4, "param_scheduler.0.convert_to_iter_based": False},
            r"param_scheduler.0.by_epoch: training counts steps, so give this scheduler by_epoch=False",
        ),
    ],
)
def test_what_does_not_go_together(world: World, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load_config(world.config, options | ({"schedule": {}} if "param_scheduler" in options else {}))
