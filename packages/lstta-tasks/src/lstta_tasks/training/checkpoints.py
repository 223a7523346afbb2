"""Checkpoints that resume bit for bit, hold no frozen weights, and survive a kill at any moment.

MMEngine's own hook saves before validation, deletes old files before the new ones are whole, and writes objects that
``torch.load`` refuses. This one waits for the validation, then writes ``best/`` if it was the best so far, and then
one checkpoint: temporary file, fsync, rename, pointer; only then is the one before it deleted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from lstta_core.adapter_files import save_adapter, trained_tensors
from lstta_core.whole_files import write_text, write_whole
from lstta_tasks.experiment.metric import TaskMetric
from lstta_tasks.experiment.runner_model import RunnerModel
from lstta_tasks.network import TaskNetwork

POINTER = "last_checkpoint"
BEST = "best"
PREFIX = "model."
"""Of the names in a checkpoint: the task's network inside the runner's model."""


def network(runner: Runner) -> TaskNetwork:
    """The task's network inside the runner's, distributed or not."""
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    assert isinstance(model, RunnerModel)
    return model.model


class CheckpointHook(Hook):
    """Saves after each epoch and its validation.

    Args:
        metric: of the validation.
        record: what ``adapter.json`` says of ``best/``.
        settings: of the config, by dotted key; what a resumed run must agree with.
        command: that started the training, for ``best/``; a run may be resumed by another one.
    """

    priority = "VERY_LOW"

    def __init__(
        self,
        *,
        metric: TaskMetric,
        record: Mapping[str, Any],
        settings: Mapping[str, Any],
        command: str | None = None,
    ) -> None:
        self.metric = metric
        self.record = record
        self.settings = settings
        self.started_by = {} if command is None else {"command": command}
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
        if self.best is None or report.merit > self.best:
            self.best = report.merit
            found = {"epoch": runner.epoch, "split": "val", report.primary: report.value(report.primary)}
            model = network(runner)
            tensors = trained_tensors(model, model.frozen())
            save_adapter(Path(runner.work_dir) / BEST, tensors, {**self.record, **self.started_by, "selected": found})

    def before_train_epoch(self, runner: Runner) -> None:
        """The validation of the epoch before, if there was one, is over."""
        self._save(runner)

    def after_train(self, runner: Runner) -> None:
        self._save(runner)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
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
        write_text(folder / POINTER, path.name)
        for old in folder.glob("epoch_*.pth"):
            if old != path:
                old.unlink()

    def _checkpoint(self, runner: Runner) -> dict[str, Any]:
        """Plain tensors, numbers and strings, so that it loads under ``weights_only=True``."""
        model = network(runner)
        tensors = trained_tensors(model, model.frozen())
        return {
            "meta": {
                "epoch": runner.epoch,
                "iter": runner.iter,
                "seed": runner.seed,
                "best": self.best,
                "record": json.dumps(self.record),
                "settings": json.dumps(self.settings),
            },
            "state_dict": {f"{PREFIX}{name}": tensor for name, tensor in tensors.items()},
            "optimizer": runner.optim_wrapper.state_dict(),
            "param_schedulers": [scheduler.state_dict() for scheduler in runner.param_schedulers],
            # MMEngine wants these three. Nothing in them is needed to go on, and some is not plain.
            "message_hub": {"log_scalars": {}, "runtime_info": {}, "resumed_keys": {}},
        }


def last_checkpoint(work_dir: Path) -> Path | None:
    """The checkpoint to resume from, None where there is none yet.

    Raises:
        FileNotFoundError: it has been deleted.
    """
    pointer = work_dir / POINTER
    if not pointer.is_file():
        return None
    path = work_dir / pointer.read_text().strip()
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file, though {pointer} names it; train into another --work-dir")
    return path
