"""Equal to the bit with the torch that constraints.txt names; others that were tried round some products otherwise."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

TORCH = tuple(int(number) for number in torch.__version__.split(".")[:2])
REFERENCE = TORCH == (2, 13)
TRAINED = 1e-3
"""For weights after training: AdamW makes more of a gradient that is nearly zero (seen: 2.3e-4, at rate 2e-2)."""


def same(one: Tensor, other: Tensor, apart: float) -> bool:
    """To the bit; with another torch so far apart: 2.6 and 2.15 round products of few rows otherwise than of many."""
    return torch.equal(one, other) or (not REFERENCE and torch.allclose(one, other, rtol=0, atol=apart))


def told(predictions: dict[str, Any]) -> dict[str, Any]:
    """Predictions as they are; with another torch their numbers to three places, and no ranks: ties fall otherwise."""
    if REFERENCE:
        return predictions
    return {
        sample: {key: round(value, 3) for key, value in of.items() if isinstance(value, float)}
        if isinstance(of, dict)
        else of
        for sample, of in predictions.items()
    }
