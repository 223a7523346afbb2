"""The numbers of a config's sections that name no plugin: whole or not, and how large at least."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Number:
    """What a key wants.

    Attributes:
        least: the smallest.
        whole: whether it counts something.
    """

    least: float
    whole: bool = True

    def fits(self, value: Any) -> bool:
        """Whether a value is such a number."""
        kinds = int if self.whole else int | float
        return isinstance(value, kinds) and not isinstance(value, bool) and math.isfinite(value) and value >= self.least

    def __str__(self) -> str:
        return f"a {'whole ' if self.whole else ''}number, {self.least:g} or more"


NUMBERS = {
    "train_cfg.max_epochs": Number(1),
    "train_cfg.max_iters": Number(1),
    "train_cfg.val_interval": Number(1),
    "train_cfg.val_begin": Number(1),
    "loader.batch_size": Number(1),
    "loader.workers": Number(0),
    "loader.timeout": Number(1e-3, whole=False),
    "optim_wrapper.accumulative_counts": Number(1),
    "optim_wrapper.clip_grad.max_norm": Number(0, whole=False),
    "optim_wrapper.clip_grad.clip_value": Number(0, whole=False),
    "optim_wrapper.optimizer.lr": Number(0, whole=False),
    "optim_wrapper.optimizer.weight_decay": Number(0, whole=False),
    "optim_wrapper.optimizer.momentum": Number(0, whole=False),
    "optim_wrapper.optimizer.eps": Number(0, whole=False),
}


def check_numbers(config: Mapping[str, Any]) -> None:
    """Refuse a config in which one of :data:`NUMBERS` is something else; a key that is left out is fine.

    Raises:
        ValueError: such a one; the message names the key, the value and what is wanted.
    """
    for key, number in NUMBERS.items():
        section, _, name = key.rpartition(".")
        place: Any = dict(config.items())
        for part in section.split("."):
            place = place.get(part) if isinstance(place, Mapping) else None
        if isinstance(place, Mapping) and name in place and not number.fits(place[name]):
            raise ValueError(f"{key}: {number} is wanted, got {place[name]!r}")
