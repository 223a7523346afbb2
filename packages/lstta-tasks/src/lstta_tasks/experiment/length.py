"""How long a training is: so many epochs, or so many steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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

    @property
    def key(self) -> str:
        """Of the config, that says it."""
        return f"train_cfg.{KEYS[self.by_epoch]}"


def length_of(config: Config) -> Length:
    """That of a config's training."""
    by_epoch = config.train_cfg.get("by_epoch", True)
    return Length(config.train_cfg[KEYS[by_epoch]], by_epoch)


def check_length(settings: dict[str, Any], schedulers: Sequence[Any] | None) -> None:
    """Refuse a training by steps whose other settings are those of one by epochs, or the other way round.

    Args:
        settings: ``train_cfg``; a length of the other kind that is None is taken out of it.
        schedulers: ``param_scheduler``, or None.

    Raises:
        ValueError: the message names the key, and what to write in its place.
    """
    by_epoch = settings.get("by_epoch", True)
    if not isinstance(by_epoch, bool):
        raise ValueError(f"train_cfg.by_epoch: True or False is wanted, got {by_epoch!r}")
    own, other = KEYS[by_epoch], KEYS[not by_epoch]
    if settings.get(other, ...) is None:
        del settings[other]
    if other in settings:
        both = f" and {own}={settings[own]!r}" if own in settings else ""
        raise ValueError(
            f"train_cfg.{other}={settings[other]!r}{both}: with by_epoch={by_epoch} {own} says how long training is; "
            f"set {other} to None, or write by_epoch={not by_epoch}"
        )
    if by_epoch:
        return
    if settings.get("val_interval") == 1:
        raise ValueError(
            "train_cfg.val_interval=1: with by_epoch=False it counts steps, and a validation after every step is "
            "hardly meant: give the number of steps between two validations"
        )
    for place, scheduler in enumerate(schedulers or ()):
        if (
            isinstance(scheduler, Mapping)
            and scheduler.get("by_epoch", True)
            and not scheduler.get("convert_to_iter_based")
        ):
            raise ValueError(
                f"param_scheduler.{place}.by_epoch: training counts steps, so give this scheduler by_epoch=False, or "
                "convert_to_iter_based=True, or schedule=dict(warmup_steps=…, decay=…) in place of all"
            )
