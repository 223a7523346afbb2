"""Tasks that answer with one of a list of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

OUTSIDE = -1
"""The target of an answer that the training split does not have: no loss, and never counted as right."""


def known_cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    """The mean cross-entropy, (), of logits (B, C) and targets (B,), over the targets that are not :data:`OUTSIDE`."""
    known = (target != OUTSIDE).sum().clamp(min=1)
    return F.cross_entropy(output, target, ignore_index=OUTSIDE, reduction="sum") / known


def likeliest(output: Tensor, classes: Sequence[str], field: str) -> list[dict[str, Any]]:
    """The likeliest class of each row of logits (B, C) under the name ``field``, and its ``probability``."""
    probabilities, best = output.float().softmax(-1).max(-1)
    return [{field: classes[i], "probability": p} for i, p in zip(best.tolist(), probabilities.tolist(), strict=True)]
