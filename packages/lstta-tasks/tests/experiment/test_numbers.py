"""A number of a config that is none, or too small, is refused by its key."""

from __future__ import annotations

import re
from typing import Any

import pytest
from small_world import World

from lstta_tasks.experiment.config import load_config


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        *(("train_cfg.max_epochs", value, "a whole number, 1 or more") for value in ("two", 0, -1, 1.5, None, True)),
        *(("train_cfg.val_interval", value, "a whole number, 1 or more") for value in (0, "x", None, 2.5)),
        ("train_cfg.val_begin", "x", "a whole number, 1 or more"),
        *(("optim_wrapper.optimizer.lr", value, "a number, 0 or more") for value in ("x", -1, None, float("nan"))),
        ("optim_wrapper.optimizer.lr", float("inf"), "a number, 0 or more"),
        ("optim_wrapper.optimizer.weight_decay", "x", "a number, 0 or more"),
        ("optim_wrapper.clip_grad.max_norm", "x", "a number, 0 or more"),
        ("optim_wrapper.accumulative_counts", 0, "a whole number, 1 or more"),
        ("loader.batch_size", 0, "a whole number, 1 or more"),
        ("loader.workers", "two", "a whole number, 0 or more"),
        ("loader.workers", -1, "a whole number, 0 or more"),
    ],
)
def test_what_is_no_such_number(world: World, key: str, value: Any, wanted: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{key}: {wanted} is wanted, got {value!r}")):
        load_config(world.config, {key: value})


def test_what_is(world: World) -> None:
    load_config(world.config, {"optim_wrapper.optimizer.lr": 0, "loader.workers": 0, "train_cfg.val_interval": 7})
