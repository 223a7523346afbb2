"""The learning rate's course: from the section ``schedule``, or as MMEngine's own ``param_scheduler`` has it."""

from __future__ import annotations

from typing import Any, Literal

from mmengine.config import Config
from mmengine.optim import CosineAnnealingLR, LinearLR

from lstta_tasks.experiment.factories import plain

Decay = Literal["cosine", "linear", "none"]
DECAYS = ("cosine", "linear", "none")


def course(
    epochs: int, *, warmup_steps: int | None = None, warmup_epochs: int | None = None, decay: Decay = "cosine"
) -> list[dict[str, Any]]:
    """MMEngine's schedulers of a whole training.

    Args:
        epochs: of the training; the decay ends with it.
        warmup_steps: over so many steps the rate rises linearly from a hundredth.
        warmup_epochs: likewise, in place of ``warmup_steps``.
        decay: ``"cosine"`` or ``"linear"`` to zero over all epochs, or ``"none"``.

    Raises:
        ValueError: an argument is out of range, or both warm-ups are given.
    """
    if decay not in DECAYS:
        raise ValueError(f"schedule.decay: one of {', '.join(DECAYS)} is wanted, got {decay!r}")
    if warmup_steps is not None and warmup_epochs is not None:
        raise ValueError(
            f"schedule: warmup_steps={warmup_steps} and warmup_epochs={warmup_epochs}: give one of the two"
        )
    for name, value in (("warmup_steps", warmup_steps), ("warmup_epochs", warmup_epochs)):
        if value is not None and (not isinstance(value, int) or value < 0):
            raise ValueError(f"schedule.{name}: a number of 0 or more is wanted, got {value!r}")
    schedulers: list[dict[str, Any]] = []
    warmup = {"type": LinearLR, "start_factor": 0.01, "begin": 0}
    if warmup_steps:
        schedulers.append({**warmup, "by_epoch": False, "end": warmup_steps})
    if warmup_epochs:
        schedulers.append({**warmup, "by_epoch": True, "end": warmup_epochs, "convert_to_iter_based": True})
    whole = {"by_epoch": True, "begin": 0, "end": epochs, "convert_to_iter_based": True}
    if decay == "cosine":
        schedulers.append({"type": CosineAnnealingLR, "T_max": epochs, **whole})
    elif decay == "linear":
        schedulers.append({"type": LinearLR, "start_factor": 1.0, "end_factor": 0.0, **whole})
    return schedulers


def schedulers_of(config: Config) -> list[dict[str, Any]]:
    """What a config says of the learning rate, as MMEngine's runner wants it. Raises as :func:`course` does."""
    if config.get("schedule") is not None:
        return course(config.train_cfg["max_epochs"], **plain(config.schedule))
    return [plain(scheduler) for scheduler in config.get("param_scheduler") or ()]
