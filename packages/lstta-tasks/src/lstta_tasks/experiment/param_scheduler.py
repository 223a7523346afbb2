"""MMEngine's own ``param_scheduler``, where a config has it in place of ``schedule``: its keys, and when it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from lstta_tasks.experiment.factories import arguments, callable_of, check_keys
from lstta_tasks.experiment.option_types import check_types


def check_schedulers(schedulers: Sequence[Any]) -> None:
    """Refuse what is no scheduler, or has a key that its class does not take, or lacks one.

    Raises:
        ValueError: such a one; the message has its place.
    """
    for place, settings in enumerate(schedulers):
        section = f"param_scheduler.{place}"
        if not isinstance(settings, Mapping) or "type" not in settings:
            raise ValueError(f"{section}: a dict with type=, the class itself, is wanted, got {settings!r}")
        factory = callable_of(section, settings["type"])
        known, _ = arguments(factory)
        # The runner gives the first two and takes the last.
        taken = {name: needed for name, needed in known.items() if name not in ("optimizer", "param_name")}
        check_keys(section, settings, {"type": True, **taken, "convert_to_iter_based": False})
        check_types(section, factory, settings)
        if settings.get("start_factor") == 0:
            raise ValueError(f"{section}.start_factor: a number above 0 is wanted, got 0: such a rate never rises")


def check_ends(schedulers: Sequence[Mapping[str, Any]], *, epochs: float, steps: int) -> None:
    """Refuse a schedule that has lowered the rate for good before training ends.

    Args:
        schedulers: MMEngine's.
        epochs: of the training; no whole number where it ends within one.
        steps: of an epoch.

    Raises:
        ValueError: such a one; the message has both ends.
    """
    for place, scheduler in enumerate(schedulers):
        name = getattr(scheduler["type"], "__name__", str(scheduler["type"])).rpartition(".")[2]
        rises = name == "LinearLR" and scheduler.get("end_factor", 1.0) == 1.0
        if rises or name in ("ConstantLR", "MultiStepLR", "StepLR"):
            continue  # these leave the rate where they should, and end where they like
        by_epoch = scheduler.get("by_epoch", True)
        length, unit = (epochs, "epochs") if by_epoch else (round(epochs * steps), "steps")
        for key in ("end", "T_max", "total_steps"):
            if scheduler.get(key, inf) < length:
                raise ValueError(
                    f"param_scheduler.{place}.{key}: {name} ends after {scheduler[key]} {unit}, training after "
                    f"{length:g}: give them one end, or schedule=dict(warmup_steps=…, decay=…) in their place, which "
                    "follows train_cfg"
                )
