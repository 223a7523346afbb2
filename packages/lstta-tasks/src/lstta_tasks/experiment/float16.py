"""Training with frozen weights in float16, for cards without bfloat16: small gradients are kept from becoming zero."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor


class ScaledOptimWrapper(OptimWrapper):
    """Backward passes of a scaled loss. A step whose gradients are too large for float16 is left out, and the scale
    halved; after many good steps it is doubled. MMEngine's own wants a GPU and puts everything under autocast.

    Args:
        device: where the model trains.
        options: MMEngine's.
    """

    def __init__(self, *, device: str, **options: Any) -> None:
        super().__init__(**options)
        self.scaler = torch.amp.GradScaler(device)

    def backward(self, loss: Tensor, **options: Any) -> None:
        self.scaler.scale(loss).backward(**options)
        self._inner_count += 1

    def step(self, **options: Any) -> None:
        self.scaler.unscale_(self.optimizer)
        if self.clip_grad_kwargs:
            self._clip_grad()
        self.scaler.step(self.optimizer, **options)
        self.scaler.update()

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "loss_scaler": self.scaler.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.scaler.load_state_dict(state_dict["loss_scaler"])
        super().load_state_dict({name: value for name, value in state_dict.items() if name != "loss_scaler"})
