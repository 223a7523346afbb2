"""Fixed tables that follow the data to its device and keep their precision whatever the weights are cast to."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


class Constant:
    """A float32 table that is no part of a module: ``encoder.to(torch.bfloat16)`` leaves it as it is.

    Args:
        values: anything that numpy reads.
    """

    def __init__(self, values: object) -> None:
        self._home = torch.from_numpy(np.asarray(values, dtype=np.float32))
        self._on: dict[torch.device, Tensor] = {}

    def like(self, other: Tensor) -> Tensor:
        """The table on the device of ``other``."""
        if other.device not in self._on:
            self._on[other.device] = self._home.to(other.device)
        return self._on[other.device]
