"""Equal to the bit with the torch that constraints.txt names; others that were tried round some products otherwise."""

from __future__ import annotations

import torch
from torch import Tensor

REFERENCE = torch.__version__.startswith("2.13.")


def same(one: Tensor, other: Tensor) -> bool:
    """To the bit. With another torch within 1e-5: 2.6 and 2.15 round products of few rows otherwise than of many, and
    training makes more of it (seen: 5e-6 of weights after four steps)."""
    return torch.equal(one, other) or (not REFERENCE and torch.allclose(one, other, rtol=0, atol=1e-5))
