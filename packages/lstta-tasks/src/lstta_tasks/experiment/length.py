"""How long a training is: so many epochs, or so many steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmengine.config import Config

KEYS = {True: "max_epochs", False: "max_iters"}
"""Of ``train_cfg``, by whether it counts epochs."""


@dataclass(frozen=True)
class Length:
    """Of a training.

    Attributes:
        count: of epochs or steps.
        by_epoch: which of the two; ``train_cfg.val_interval`` counts the same.
    """

    count: int
    by_epoch: bool

    @property
    def unit(self) -> str:
        return "epoch" if self.by_epoch else "step"

    def epochs(self, steps: int) -> float:
        """How many of so many steps; no whole number where the training ends within one."""
        return self.count if self.by_epoch else self.count / steps

    @property
    def key(self) -> str:
        """Of the config, that says it."""
        return f"train_cfg.{KEYS[self.by_epoch]}"


def length_of(config: Config) -> Length:
    """That of a config's training."""
    by_epoch = config.train_cfg.get("by_epoch", True)
    return Length(config.train_cfg[KEYS[by_epoch]], by_epoch)
