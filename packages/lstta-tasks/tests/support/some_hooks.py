"""Hooks of somebody else, as configs of tests name them."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner


class Noise(Hook):
    """Adds to a parameter what it has counted, which it keeps in checkpoints as MMEngine lets hooks do.

    Args:
        size: of a count.
    """

    def __init__(self, size: float = 1e-3) -> None:
        self.size, self.count = size, 0

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        self.count += 1
        with torch.no_grad():
            next(p for p in runner.model.parameters() if p.requires_grad).add_(self.size * (self.count % 5))

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        checkpoint["noise"] = {"count": self.count}

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        self.count = checkpoint["noise"]["count"]


class Meddler(Hook):
    """Changes what is saved.

    Args:
        key: of a checkpoint.
    """

    def __init__(self, key: str) -> None:
        self.key = key

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        if self.key == "state_dict":
            name, tensor = next(iter(checkpoint["state_dict"].items()))
            checkpoint["state_dict"][name] = tensor + 1
        else:
            checkpoint[self.key] = object()


class NoHook:
    """Is none."""
