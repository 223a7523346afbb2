"""What lies around each segment of a clip."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def windows(values: Tensor, window: int) -> Tensor:
    """(B, T, …) to (B, T, …, window): what lies around each segment, a view; zeros (false) beyond the clip's ends."""
    reach = window // 2
    return F.pad(values, [0, 0] * (values.ndim - 2) + [reach, reach]).unfold(1, window, 1)
