"""Where a bottleneck's units can be watched."""

from __future__ import annotations

from torch import Tensor, nn


class Units(nn.Module):
    """Passes a bottleneck's units on, behind their activation: a place for a forward hook, and nothing else."""

    def forward(self, values: Tensor) -> Tensor:
        """(…, r), as it is."""
        return values
