"""From the predictions of a split to its report, on all ranks, with a second pass where the kind of answer has one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmengine.dist import broadcast_object_list, is_main_process

from lstta_tasks.task import Predictions, Report, Sample, Task

Scorer = Callable[[Sequence[Sample]], Mapping[str, float]]
"""Of the samples of a second pass, by their ids, see :func:`~lstta_tasks.experiment.second_pass.score_again`."""


def concluded(
    task: Task, predictions: Predictions, samples: Sequence[Sample], scorer: Scorer | None
) -> tuple[Predictions, Report | None, dict[str, float]]:
    """What is reported of a split. All ranks call it, since all take part in a second pass.

    Args:
        task: whose split it is.
        predictions: of the first pass, by sample id; on the first rank.
        samples: of the split.
        scorer: of the second pass; only called where the task asks for one.

    Returns:
        The concluded predictions and the report, None on all ranks but the first; and on all the scores' values.
    """
    wanted: list[Any] = [None]
    if is_main_process():
        wanted = [task.answer.second_pass(predictions, samples)]
    broadcast_object_list(wanted)
    scores: Mapping[str, float] = {}
    if wanted[0]:
        assert scorer is not None
        scores = scorer(wanted[0])
    report: Report | None = None
    values: list[dict[str, float]] = [{}]
    if is_main_process():
        predictions = task.answer.conclude(predictions, samples, scores)
        report = task.answer.report(predictions, samples)
        values = [{score.name: score.value for score in report.scores}]
    broadcast_object_list(values)
    return predictions, report, values[0]
