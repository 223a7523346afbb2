"""A task's metrics as MMEngine's evaluator calls them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import BaseMetric

from lstta_tasks.task import Report, Sample, Task


class TaskMetric(BaseMetric):
    """Gathers predictions from all processes, keyed by sample id, and has the task report on them.

    Samples that a sampler repeated to give every process the same number count once.

    Args:
        task: whose metrics these are.
        samples: of the split.

    Attributes:
        report: of the last evaluation; None before the first, and on all ranks but the first.
        predictions: of the last evaluation, by sample id; on the first rank only.
        importances: of the last evaluation, by sample id and modality, (T,) each; on the first rank only.
    """

    def __init__(self, *, task: Task, samples: Sequence[Sample]) -> None:
        # "gpu" gathers through the processes' own connection, also on a CPU; "cpu" would need a folder that all share.
        super().__init__(collect_device="gpu", prefix="val")
        self.task = task
        self.samples = samples
        self.report: Report | None = None
        self.predictions: dict[str, dict[str, Any]] = {}
        self.importances: dict[str, dict[str, list[float]]] = {}

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        self.results.extend(data_samples)

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        self.predictions = {result["id"]: result["prediction"] for result in results}
        self.importances = {result["id"]: result["importances"] for result in results}
        self.report = self.task.report(self.predictions, self.samples)
        loss = sum(result["loss"] for result in results) / len(results)
        return {"loss": loss, **{score.name: score.value for score in self.report.scores}}
