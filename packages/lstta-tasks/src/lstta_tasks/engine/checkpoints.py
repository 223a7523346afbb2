"""Checkpoints that resume bit for bit, hold no frozen weights, and survive a kill at any moment.

MMEngine's own hook saves before validation, deletes old files before the new ones are whole, and writes objects that
``torch.load`` refuses. This one waits for the validation, then writes ``best/`` if it was the best so far, and then
one checkpoint: temporary file, fsync, rename, pointer; only then is the one before it deleted.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from lstta_core.adapter_files import save_adapter, trained_tensors
from lstta_tasks.engine.metric import TaskMetric
from lstta_tasks.engine.mm_model import RunnerModel
from lstta_tasks.model import FROZEN, TaskModel

POINTER = "last_checkpoint"
BEST = "best"


def task_model(runner: Runner) -> TaskModel:
    """The task's model inside the runner's, distributed or not."""
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    assert isinstance(model, RunnerModel)
    return model.model


class CheckpointHook(Hook):
    """Saves after each epoch and its validation.

    Args:
        metric: of the validation.
        record: gives what ``adapter.json`` says of ``best/``.
    """

    priority = "VERY_LOW"

    def __init__(self, *, metric: TaskMetric, record: Callable[[], dict[str, Any]]) -> None:
        self.metric = metric
        self.record = record
        self.best: float | None = None
        self.unsaved = False

    def before_train(self, runner: Runner) -> None:
        self.unsaved = False

    def after_train_epoch(self, runner: Runner) -> None:
        self.unsaved = True

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        report = self.metric.report
        if not is_main_process() or report is None:
            return
        score = report.value(report.primary)
        if self.best is None or score > self.best:
            self.best = score
            found = {"epoch": runner.epoch, "split": "val", report.primary: score}
            tensors = trained_tensors(task_model(runner), FROZEN)
            save_adapter(Path(runner.work_dir) / BEST, tensors, {**self.record(), "selected": found})

    def before_train_epoch(self, runner: Runner) -> None:
        """The validation of the epoch before, if there was one, is over."""
        self._save(runner)

    def after_train(self, runner: Runner) -> None:
        self._save(runner)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """
        Raises:
            ValueError: the checkpoint's weights are not those of this model.
        """
        here, there = trained_tensors(task_model(runner), FROZEN), checkpoint["state_dict"]
        there = {name.removeprefix("model."): tensor for name, tensor in there.items()}
        wrong = sorted(here.keys() ^ there.keys())
        wrong += [name for name in here.keys() & there.keys() if here[name].shape != there[name].shape]
        if wrong:
            raise ValueError(
                f"the checkpoint in {runner.work_dir} is of another model ({wrong[0]} and {len(wrong) - 1} more do not "
                "fit): resume with the config that it was made with, or train into another --work-dir"
            )
        self.best = checkpoint["meta"]["best"]

    def _save(self, runner: Runner) -> None:
        if not self.unsaved:
            return
        self.unsaved = False
        if not is_main_process():
            return
        folder = Path(runner.work_dir)
        path = folder / f"epoch_{runner.epoch}.pth"
        write_whole(path, lambda draft: torch.save(self._checkpoint(runner), draft))
        write_whole(folder / POINTER, lambda draft: draft.write_text(path.name))
        for old in folder.glob("epoch_*.pth"):
            if old != path:
                old.unlink()

    def _checkpoint(self, runner: Runner) -> dict[str, Any]:
        """Plain tensors, numbers and strings, so that it loads under ``weights_only=True``."""
        tensors = trained_tensors(task_model(runner), FROZEN)
        info = runner.message_hub.runtime_info
        return {
            "meta": {"epoch": runner.epoch, "iter": runner.iter, "seed": runner.seed, "best": self.best},
            "state_dict": {f"model.{name}": tensor for name, tensor in tensors.items()},
            "optimizer": runner.optim_wrapper.state_dict(),
            "param_schedulers": [scheduler.state_dict() for scheduler in runner.param_schedulers],
            "message_hub": {
                "log_scalars": {},
                "runtime_info": {k: v for k, v in info.items() if isinstance(v, str | int | float)},
                "resumed_keys": dict(runner.message_hub._resumed_keys),
            },
        }


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file so that under its name there is always a whole one: draft, fsync, rename."""
    draft = path.with_name(f".{path.name}.draft")
    write(draft)
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(path)
