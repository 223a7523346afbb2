"""The second pass of tasks that have one: forwards of samples that are only known once a split has been predicted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mmengine.dist import collect_results

from lstta_tasks.data.batch import Batch
from lstta_tasks.experiment.batches import through
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.runner import RunnerModel
from lstta_tasks.task import Sample


def score_again(
    experiment: Experiment,
    model: RunnerModel,
    samples: Sequence[Sample],
    *,
    between: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """The network's scores by sample id, on the first rank; others get none.

    The samples' clips or states are read again, in batches shared out between ranks.

    Args:
        experiment: whose cache and loader these are.
        model: with the network.
        samples: that the task asks about.
        between: called before each batch, on all ranks; may raise to end it.
    """

    def step(batch: Batch) -> list[dict[str, Any]]:
        between()
        data = model.data_preprocessor(batch, False)
        scores = model.model.score(data["inputs"]).tolist()
        return [{"id": sample, "score": score} for sample, score in zip(data["ids"], scores, strict=True)]

    dataset = experiment.dataset_of(samples)
    scored = through(experiment, experiment.loader("val", dataset), step, "second pass")
    gathered = collect_results([one for batch in scored for one in batch], len(dataset), "gpu")
    return {one["id"]: one["score"] for one in gathered or ()}
