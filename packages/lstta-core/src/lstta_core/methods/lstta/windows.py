"""What lies around each segment of a clip."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def windows(values: Tensor, window: int) -> Tensor:
    """(B, T, …) to (B, T, window, …): what lies around each segment; zeros (false) beyond the clip's ends."""
    reach = window // 2
    padded = F.pad(values, [0, 0] * (values.ndim - 2) + [reach, reach])
    segments = values.shape[1]
    return torch.stack([padded[:, offset : offset + segments] for offset in range(window)], dim=2)
