"""Whether the rest of a config goes with a training by steps, ``train_cfg = dict(by_epoch=False, max_iters=…)``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lstta_tasks.experiment.length import KEYS


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
