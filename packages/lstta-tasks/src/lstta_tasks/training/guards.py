"""Hooks that end a training early: a loss that is no number, and a signal in the middle of a validation."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from lstta_tasks.answers.report import DivergedError
from lstta_tasks.experiment.distributed import largest
from lstta_tasks.training.stopping import Stopping


class FiniteHook(Hook):
    """Ends a training whose loss is NaN or infinite, on any rank, before that is logged or saved."""

    priority = "HIGH"

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        loss = (outputs or {}).get("loss")
        if largest(int(loss is not None and not loss.isfinite().all())):
            raise DivergedError(
                f"{runner.work_dir}: the loss of epoch {runner.epoch + 1}, step {batch_idx + 1} is NaN or infinite: "
                "training has diverged. The last checkpoint and best/, where there are any, stay as they are; lower "
                "the learning rate, or give optim_wrapper.clip_grad"
            )


class StopHook(Hook):
    """Has a validation end between two batches when a signal asks for it; it is made again when the run goes on.

    Args:
        stopping: of the training.
    """

    def __init__(self, *, stopping: Stopping) -> None:
        self.stopping = stopping

    def before_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        self.stopping.check()
