"""Hooks of a training: seeds, what people see while it trains, and when it saves."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tqdm import tqdm

from lstta_tasks.experiment.runner import TaskMetric
from lstta_tasks.training.checkpoints import save_best, save_checkpoint

Said = Callable[[], Mapping[str, Any]]


class SeedHook(Hook):
    """Seeds every training step from (seed, rank, step): a resumed run then draws the numbers of the whole one.

    Saving generators' states instead is not enough, since validation draws numbers after the save.

    Args:
        seed: of the config.
    """

    def __init__(self, *, seed: int) -> None:
        self.seed = seed

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        words = np.random.SeedSequence([self.seed, runner.rank, runner.iter]).generate_state(3)
        torch.manual_seed(int(words[0]))
        np.random.seed(int(words[1]))  # noqa: NPY002 — libraries that draw from the global generator
        random.seed(int(words[2]))


class ProgressHook(Hook):
    """A bar over each epoch, where there is a terminal, and one line after each validation.

    Args:
        metric: of the validation.
    """

    priority = "LOW"

    def __init__(self, *, metric: TaskMetric) -> None:
        self.metric = metric
        self.bar: tqdm[Any] | None = None
        self.losses: list[float] = []

    def before_train_epoch(self, runner: Runner) -> None:
        self.losses = []
        if is_main_process():
            total = len(runner.train_dataloader)
            self.bar = tqdm(
                total=total, desc=f"epoch {runner.epoch + 1}/{runner.max_epochs}", disable=None, leave=False
            )

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        if self.bar is not None and outputs is not None:
            self.losses.append(outputs["loss"].item())
            self.bar.update()
            self.bar.set_postfix(loss=f"{np.mean(self.losses[-50:]):.3f}", refresh=False)

    def after_train_epoch(self, runner: Runner) -> None:
        if self.bar is not None:
            self.bar.close()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        report = self.metric.report
        if is_main_process() and report is not None:
            train = f"train loss {np.mean(self.losses):.3f}, " if self.losses else ""
            value = report.value(report.primary)
            print(f"epoch {runner.epoch}/{runner.max_epochs}: {train}val {report.primary} {value:.4f}", flush=True)


class CheckpointHook(Hook):
    """Saves after each epoch and its validation, see :mod:`lstta_tasks.training.checkpoints`.

    Args:
        metric: of the validation.
        record: gives what ``adapter.json`` says of ``best/``.
        settings: gives those of the config, by dotted key.
        command: that started the training, for ``best/``; a run may be resumed by another one.
    """

    priority = "VERY_LOW"

    def __init__(self, *, metric: TaskMetric, record: Said, settings: Said, command: str | None = None) -> None:
        self.metric = metric
        self.record, self.settings = record, settings
        self.started_by = {} if command is None else {"command": command}
        self.best: float | None = None
        self.unsaved = False

    def after_train_epoch(self, runner: Runner) -> None:
        self.unsaved = True

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        report = self.metric.report
        if is_main_process() and report is not None and (self.best is None or report.merit > self.best):
            self.best = report.merit
            found = {"epoch": runner.epoch, "split": "val", report.primary: report.value(report.primary)}
            save_best(runner, {**self.record(), **self.started_by, "selected": found})

    def before_train_epoch(self, runner: Runner) -> None:
        """The validation of the epoch before, if there was one, is over."""
        if self.unsaved and is_main_process():
            save_checkpoint(runner, best=self.best, record=self.record(), settings=self.settings())
        self.unsaved = False

    def after_train(self, runner: Runner) -> None:
        self.before_train_epoch(runner)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        self.best = checkpoint["meta"]["best"]
