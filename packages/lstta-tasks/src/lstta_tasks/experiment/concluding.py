"""From the predictions of a split to its report, on all ranks, with a second pass where the kind of answer has one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lstta_tasks.experiment.distributed import on_first
from lstta_tasks.finite import check_finite
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

    Raises:
        NotFiniteError: a prediction or a score is NaN or infinite; on every rank, as whatever else the task raises.
    """
    wanted = on_first(lambda: list(task.answer.second_pass(predictions, samples)))
    scores: Mapping[str, float] = {}
    if wanted:
        assert scorer is not None
        scores = scorer(wanted)
    made: list[tuple[Predictions, Report]] = []

    def conclude() -> dict[str, float]:
        concluded = task.answer.conclude(predictions, samples, scores)
        report = task.answer.report(concluded, samples)
        for sample, prediction in concluded.items():
            check_finite(prediction, f"sample {sample}: what the model predicts")
        for score in report.scores:
            check_finite([score.value, score.baseline], f"{task.name}: the score {score.name}")
        made.append((concluded, report))
        return {score.name: score.value for score in report.scores}

    values = on_first(conclude)
    return (*(made[0] if made else (predictions, None)), values)
