"""The second pass of tasks that have one: forwards of samples that are only known once a split has been predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.dist import collect_results, is_main_process
from tqdm import tqdm

from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.runner_model import RunnerModel
from lstta_tasks.task import Sample


class SecondPass:
    """Scores samples in batches, their clips or states read again; shared out between ranks.

    Args:
        experiment: whose cache and loader these are.
        model: with the network.
    """

    def __init__(self, *, experiment: Experiment, model: RunnerModel) -> None:
        self.experiment = experiment
        self.model = model

    def __call__(self, samples: Sequence[Sample]) -> dict[str, float]:
        """The network's scores by sample id, on the first rank; others get none."""
        dataset = self.experiment.dataset_of(samples)
        loader = self.experiment.loader("val", dataset)
        results: list[dict[str, Any]] = []
        with torch.no_grad():
            for batch in tqdm(loader, desc="second pass", leave=False, disable=None if is_main_process() else True):
                results += self.model.score_step(batch)
        gathered = collect_results(results, len(dataset), "gpu")
        return {result["id"]: result["score"] for result in gathered or ()}
