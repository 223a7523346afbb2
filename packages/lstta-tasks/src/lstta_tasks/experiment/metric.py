"""A task's metrics as MMEngine's evaluator calls them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.evaluator import BaseMetric

from lstta_tasks.task import Predictions, Report, Sample, Task

Scorer = Callable[[Sequence[Sample]], Mapping[str, float]]


class TaskMetric(BaseMetric):
    """Gathers predictions from all processes, keyed by sample id, and has the task report on them.

    Samples that a sampler repeated to give every process the same number count once. Where the task wants a second
    pass, all processes take part in it.

    Args:
        task: whose metrics these are.
        samples: of the split.
        scorer: of the samples of the second pass, see :class:`~lstta_tasks.experiment.second_pass.SecondPass`; for
            tasks that have one.

    Attributes:
        report: of the last evaluation; None before the first, and on all ranks but the first.
        predictions: of the last evaluation, by sample id; on the first rank only.
    """

    def __init__(self, *, task: Task, samples: Sequence[Sample], scorer: Scorer | None = None) -> None:
        # "gpu" gathers through the processes' own connection, also on a CPU; "cpu" would need a folder that all share.
        super().__init__(collect_device="gpu", prefix="val")
        self.task = task
        self.samples = samples
        self.scorer = scorer
        self.report: Report | None = None
        self.predictions: Predictions = {}

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        self.results.extend(data_samples)

    def evaluate(self, size: int) -> dict[str, float]:
        """The metrics, on every rank: first those of the first pass, then the task's."""
        metrics: dict[str, float] = super().evaluate(size)
        wanted: list[Any] = [None]
        if is_main_process():
            wanted = [self.task.answer.second_pass(self.predictions, self.samples)]
        broadcast_object_list(wanted)
        scores: Mapping[str, float] = {}
        if wanted[0]:
            assert self.scorer is not None
            scores = self.scorer(wanted[0])
        found: list[Any] = [None]
        if is_main_process():
            self.predictions = self.task.answer.conclude(self.predictions, self.samples, scores)
            self.report = self.task.answer.report(self.predictions, self.samples)
            found = [{f"{self.prefix}/{score.name}": score.value for score in self.report.scores}]
        broadcast_object_list(found)
        return metrics | found[0]

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        self.predictions = {result["id"]: result["prediction"] for result in results}
        return {"loss": sum(result["loss"] for result in results) / len(results)}
