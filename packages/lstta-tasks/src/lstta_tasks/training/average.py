"""A running average of what trains, which is validated and written into ``best/``; steps go on from what trains."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from lstta_tasks.experiment.numbers import Number
from lstta_tasks.training.checkpoints import network

KEY = "average"
"""Of a checkpoint."""


class AverageHook(Hook):
    """What ``custom_hooks`` has in the place of MMEngine's EMAHook, which would average the frozen encoders too.

    After each step the average moves by ``momentum`` towards the parameters that train; buffers are not averaged.

    Args:
        momentum: the share of the newest parameters, between 0 and 1.
        begin_iter: until this step, counted from 1, the average is what trains.
        begin_epoch: likewise, until this epoch.
        interval: steps between two moves.

    Raises:
        ValueError: one of them is out of range.
    """

    priority = "LOWEST"  # after what writes best/ and draws

    def __init__(
        self, *, momentum: float = 0.0002, begin_iter: int = 0, begin_epoch: int = 0, interval: int = 1
    ) -> None:
        if not Number(0, whole=False).fits(momentum) or not 0 < momentum < 1:
            raise ValueError(
                f"EMAHook.momentum: a number between 0 and 1 is wanted, the newest's share, got {momentum!r}"
            )
        counts = {"begin_iter": (begin_iter, 0), "begin_epoch": (begin_epoch, 0), "interval": (interval, 1)}
        for name, (value, least) in counts.items():
            if not Number(least).fits(value):
                raise ValueError(f"EMAHook.{name}: {Number(least)} is wanted, got {value!r}")
        if begin_iter and begin_epoch:
            raise ValueError(f"EMAHook: begin_iter={begin_iter} and begin_epoch={begin_epoch}: give one of the two")
        self.momentum, self.interval = momentum, interval
        self.begin_iter, self.begin_epoch = begin_iter, begin_epoch
        self.averaged: dict[str, Tensor] = {}
        self.steps = 0
        self.swapped = False

    def before_train(self, runner: Runner) -> None:
        if not self.averaged:
            self.averaged = {name: value.detach().clone() for name, value in _trained(runner).items()}

    @torch.no_grad()
    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        begun = runner.epoch + 1 >= self.begin_epoch and runner.iter + 1 >= self.begin_iter
        moves = begun and self.steps % self.interval == 0
        for name, value in _trained(runner).items():
            if not begun or not self.steps:
                self.averaged[name].copy_(value)
            elif moves:
                self.averaged[name].lerp_(value.detach(), self.momentum)
        self.steps += begun

    def before_val_epoch(self, runner: Runner) -> None:
        self._swap(runner)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        self._swap(runner)

    def interrupted(self, runner: Runner) -> None:
        """A signal has ended training, perhaps in a validation: the network has what trains again."""
        if self.swapped:
            self._swap(runner)

    @torch.no_grad()
    def _swap(self, runner: Runner) -> None:
        for name, value in _trained(runner).items():
            other = self.averaged[name].clone()
            self.averaged[name].copy_(value)
            value.copy_(other)
        self.swapped = not self.swapped

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        assert not self.swapped
        tensors = {name: value.cpu().clone() for name, value in self.averaged.items()}
        checkpoint[KEY] = {"tensors": tensors, "steps": self.steps}

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Take the average up again.

        Raises:
            ValueError: the checkpoint has none, or one of another model.
        """
        saved, own = checkpoint.get(KEY), _trained(runner)
        place = f"{runner._load_from}: {KEY}"
        if not isinstance(saved, dict) or not Number(0).fits(saved.get("steps")):
            raise ValueError(
                f"{place}: the average that custom_hooks asks for is not in it; train into another --work-dir"
            )
        tensors = saved.get("tensors")
        if not isinstance(tensors, dict) or tensors.keys() != own.keys():
            raise ValueError(f"{place}: it is not of the parameters that train; train into another --work-dir")
        for name, value in own.items():
            there = tensors[name]
            if not isinstance(there, Tensor) or (there.shape, there.dtype) != (value.shape, value.dtype):
                raise ValueError(f"{place}.{name}: {value.dtype} of shape {tuple(value.shape)} is wanted")
            self.averaged[name] = there.to(value.device, copy=True)
        self.steps = saved["steps"]


def _trained(runner: Runner) -> dict[str, nn.Parameter]:
    return {name: value for name, value in network(runner).named_parameters() if value.requires_grad}
