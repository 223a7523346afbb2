"""An end of training where the score on val has not grown for a while; a resumed run waits on where it was."""

from __future__ import annotations

from typing import Any, Literal

from mmengine.hooks import Hook
from mmengine.runner import Runner

from lstta_tasks.answers.report import Report
from lstta_tasks.experiment.numbers import Number
from lstta_tasks.experiment.refusals import nearest
from lstta_tasks.experiment.runner import TaskMetric

KEY = "early_stop"
"""Of a checkpoint."""
LOSS = "val/loss"
Rule = Literal["greater", "less"]


class EarlyStopHook(Hook):
    """What ``custom_hooks`` has in the place of MMEngine's EarlyStoppingHook, which forgets how long it has waited.

    Args:
        monitor: ``"val/loss"`` or ``"val/"`` and a score of the task's report; by default the score that ``best/`` is
            chosen by.
        rule: ``"greater"`` or ``"less"``, what is better; by default what the report says of the score.
        min_delta: a score must be better than the best by more than this. 0 by default, where MMEngine's is 0.1.
        patience: so many validations without a better score end training.
        stopping_threshold: a score better than this ends it at once.

    Raises:
        ValueError: one of them is out of range.
    """

    priority = "LOWEST"

    def __init__(
        self,
        *,
        monitor: str | None = None,
        rule: Rule | None = None,
        min_delta: float = 0.0,
        patience: int = 5,
        stopping_threshold: float | None = None,
    ) -> None:
        if rule not in ("greater", "less", None):
            raise ValueError(f"EarlyStoppingHook.rule: 'greater' or 'less' is wanted, got {rule!r}")
        if not Number(1).fits(patience):
            raise ValueError(f"EarlyStoppingHook.patience: {Number(1)} is wanted, got {patience!r}")
        if not Number(0, whole=False).fits(min_delta):
            raise ValueError(f"EarlyStoppingHook.min_delta: {Number(0, whole=False)} is wanted, got {min_delta!r}")
        if stopping_threshold is not None and not Number(float("-inf"), whole=False).fits(stopping_threshold):
            raise ValueError(f"EarlyStoppingHook.stopping_threshold: a number is wanted, got {stopping_threshold!r}")
        self.monitor, self.rule = monitor, rule
        self.min_delta, self.patience, self.stopping_threshold = min_delta, patience, stopping_threshold
        self.best: float | None = None
        self.waited = 0

    def before_train(self, runner: Runner) -> None:
        """Look whether there is such a score, before the first step.

        Raises:
            ValueError: there is none; the message has those that there are.
        """
        (metric,) = runner.val_loop.evaluator.metrics
        report = _report_of_right_answers(metric)
        less = {LOSS: True, **{f"val/{score.name}": score.lower_is_better for score in report.scores}}
        if self.monitor is None:
            self.monitor = f"val/{report.primary}"
        if self.monitor not in less:
            raise ValueError(f"EarlyStoppingHook.monitor: no score is {self.monitor!r}{nearest(self.monitor, less)}")
        self.rule = self.rule or ("less" if less[self.monitor] else "greater")

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        assert metrics is not None
        assert self.monitor is not None
        score, why = metrics[self.monitor], None
        if self.best is None or self._better(score, self.best, self.min_delta):
            self.best, self.waited = score, 0
        else:
            self.waited += 1
        if self.stopping_threshold is not None and self._better(score, self.stopping_threshold):
            why = f"{score:g} has passed {self.stopping_threshold:g}"
        elif self.waited >= self.patience:
            why = f"{self.waited} validations in a row were not better than {self.best:g}"
        if why is not None:
            runner.train_loop.stop_training = True
            runner.logger.info(f"stopped early: {self.monitor}: {why}")

    def _better(self, score: float, than: float, by: float = 0.0) -> bool:
        return score > than + by if self.rule == "greater" else score < than - by

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        stopped = bool(runner.train_loop.stop_training)
        checkpoint[KEY] = {"best": self.best, "waited": self.waited, "stopped": stopped}

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Wait on. Raises a ValueError where the checkpoint does not say how long it has waited."""
        saved = checkpoint.get(KEY)
        number = Number(float("-inf"), whole=False)
        if not isinstance(saved, dict) or not Number(0).fits(saved.get("waited")):
            raise ValueError(f"{runner._load_from}: {KEY}: it is missing or damaged; train into another --work-dir")
        if saved.get("best") is not None and not number.fits(saved["best"]):
            raise ValueError(f"{runner._load_from}: {KEY}.best: a number is wanted, got {saved['best']!r:.40}")
        self.best, self.waited = saved.get("best"), saved["waited"]


def _report_of_right_answers(metric: TaskMetric) -> Report:
    """A report with all scores that one of this task has."""
    answer = metric.task.answer
    return answer.report({sample.id: answer.right(sample) for sample in metric.samples}, metric.samples)
