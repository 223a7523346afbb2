"""The samples of a split that have a prediction."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from lstta_tasks.metrics.diverged import DivergedError
from lstta_tasks.task import Predictions, Sample


def answered(
    predictions: Predictions, samples: Sequence[Sample], number: str
) -> tuple[list[Sample], list[Mapping[str, Any]]]:
    """Samples with a prediction, and their predictions.

    Args:
        predictions: by sample id.
        samples: of the split.
        number: the field of a prediction that has to be a finite number.

    Raises:
        ValueError: there is none.
        DivergedError: a prediction is NaN or infinite.
    """
    there = [sample for sample in samples if sample.id in predictions]
    if not there:
        raise ValueError(f"none of the {len(samples)} samples has a prediction")
    found = [predictions[sample.id] for sample in there]
    for sample, prediction in zip(there, found, strict=True):
        if not math.isfinite(prediction[number]):
            raise DivergedError(
                f"sample {sample.id}: the predicted {number} is {prediction[number]}; no metric is defined for it. "
                "Did training diverge? Look at the loss, and lower the learning rate"
            )
    return there, found
