"""Cross-entropy with weights of classes and label smoothing, as a config's section ``loss`` asks for it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

OUTSIDE = -1
"""The target of a class that train lacks: no loss, and never counted as right. Its name is the sample's last label."""
Loss = Callable[[Any, Tensor], Tensor]
Weights = str | Mapping[str, float] | Sequence[float]


def cross_entropy(output: Tensor, target: Tensor, weights: Sequence[float] | None, smoothing: float) -> Tensor:
    """The mean over targets (B,) that are not :data:`OUTSIDE`, by logits (B, C); 0 where all are.

    As ``torch.nn.functional.cross_entropy`` has ``weight`` and ``label_smoothing``: the mean is weighted too.
    """
    weight = None if weights is None else output.new_tensor(weights)
    inside = target != OUTSIDE
    counted = inside if weight is None else weight[target.clamp(min=0)] * inside
    total = counted.sum()
    summed = F.cross_entropy(
        output, target, weight=weight, ignore_index=OUTSIDE, reduction="sum", label_smoothing=smoothing
    )
    return summed / torch.where(total > 0, total, 1)


def class_weights(given: Weights, classes: Sequence[str], counts: Counter[str]) -> list[float]:
    """A weight for each class.

    Args:
        given: ``"balanced"`` for n / (C · n_c), as scikit-learn has it, over the C classes that train has, and 1 for
            others; weights by name, 1 for those that are not named; or a list, in the order of the classes.
        classes: their names, in the order of targets.
        counts: how often train has each.

    Raises:
        ValueError: weights that are none, or for classes that are not there.
    """
    key = "loss.class_weights"
    if isinstance(given, str):
        if given != "balanced":
            raise ValueError(f"{key}: 'balanced', a weight by name or a list is wanted, got {given!r}")
        there = [counts[name] for name in classes if counts[name]]
        return [sum(there) / (len(there) * counts[name]) if counts[name] else 1.0 for name in classes]
    if isinstance(given, Mapping):
        for name in given:
            if name not in classes:
                near = get_close_matches(str(name), classes, n=1)
                said = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(classes)}"
                raise ValueError(f"{key}.{name}: there is no such class; {said}")
        given = [given.get(name, 1.0) for name in classes]
    if len(given) != len(classes):
        raise ValueError(f"{key}: {len(classes)} numbers are wanted, one for each class, got {len(given)}")
    for name, weight in zip(classes, given, strict=True):
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < math.inf:
            raise ValueError(f"{key}: the weight of {name!r} must be a number, 0 or more, got {weight!r}")
    if not any(given):
        raise ValueError(f"{key}: all weights are 0, so nothing would be learned")
    return [float(weight) for weight in given]
