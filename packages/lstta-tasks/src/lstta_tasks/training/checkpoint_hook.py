"""The hook that writes ``best/`` and checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from lstta_tasks.experiment.distributed import on_first
from lstta_tasks.experiment.runner import TaskMetric
from lstta_tasks.training.checkpoint_file import check_states
from lstta_tasks.training.checkpoints import save_best, save_checkpoint, waiting_gradients

Said = Callable[[], Mapping[str, Any]]


class CheckpointHook(Hook):
    """Saves after each epoch and its validation, see :mod:`lstta_tasks.training.checkpoints`.

    Of validations with equal scores the one with the lowest loss is the best, of equal ones the first.

    Args:
        metric: of the validation.
        record: gives what ``adapter.json`` says of ``best/``.
        settings: gives those of the config, by dotted key.
        command: that started the training, for ``best/``; a run may be resumed by another one.
        before: called before a checkpoint is written.
    """

    priority = "VERY_LOW"

    def __init__(
        self,
        *,
        metric: TaskMetric,
        record: Said,
        settings: Said,
        command: str | None = None,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self.metric = metric
        self.record, self.settings = record, settings
        self.started_by = {} if command is None else {"command": command}
        self.before = before
        self.best: tuple[float, float] | None = None
        self.unsaved = False

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        self.unsaved = True

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        self.unsaved = True
        on_first(lambda: self._keep_best(runner, metrics or {}))

    def _keep_best(self, runner: Runner, metrics: Mapping[str, float]) -> None:
        report = self.metric.report
        assert report is not None
        found = (report.merit, metrics["val/loss"])
        if self.best is None or (-found[0], found[1]) < (-self.best[0], self.best[1]):
            self.best = found
            loop = runner.train_loop
            place = {"epoch": runner.epoch, loop.unit: loop.place}
            selected = {**place, "split": "val", report.primary: report.value(report.primary)}
            save_best(runner, {**self.record(), **self.started_by, "selected": selected})

    def before_train_epoch(self, runner: Runner) -> None:
        """The validation of the epoch before, if there was one, is over."""
        self.save(runner)

    def after_train(self, runner: Runner) -> None:
        self.save(runner)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        check_states(runner, checkpoint)
        meta = checkpoint["meta"]
        # Version 0.1 kept no loss: an equal score does not replace that one.
        best, loss = meta.get("best"), meta.get("best_loss")
        self.best = None if best is None else (best, float("-inf") if loss is None else loss)

    def save(self, runner: Runner) -> None:
        """Write a checkpoint of where the run stands, unless that was done. All ranks call it."""
        if not self.unsaved:
            return
        self.unsaved = False
        gradients = waiting_gradients(runner)

        def save() -> None:
            self.before()
            save_checkpoint(runner, best=self.best, record=self.record(), settings=self.settings(), gradients=gradients)

        on_first(save)
