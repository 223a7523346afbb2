"""Going on with a run: what must be as it was, and a later end."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from lstta_core.adapter_files import trained_tensors
from lstta_core.interfaces import Modality
from lstta_tasks.adapter_record import differences
from lstta_tasks.experiment.factories import plain
from lstta_tasks.experiment.settings import WHERE, settings_of
from lstta_tasks.network import TaskNetwork
from lstta_tasks.training.checkpoints import PREFIX, Checkpoint

FREE = re.compile(rf"{WHERE.pattern}|task\.path|model\.(compile|shard|checkpointing)(\..*)?")
"""Keys that say where things are and how steps are computed. The samples' count, the encoders' digests and the clips'
preprocessing are compared by themselves."""
END = re.compile(r"train_cfg\.max_(epochs|iters)|param_scheduler\.\d+\.(end|T_max|total_steps)")
"""Keys that may grow: training goes on for longer."""
SCHEDULE = "schedule."
TENSORS = 4
"""How many tensors are named that do not fit; settings are named all."""


class LaterEnd(Hook):
    """Lets a resumed run take its learning rate from a schedule that ends later than the one it began with.

    MMEngine restores the schedulers that were saved, with their old end. These are stepped anew instead, from the
    beginning to where the run stands, so that the rate is that of the new schedule at this step.
    """

    priority = "VERY_HIGH"

    def __init__(self) -> None:
        self.first_rates: list[float] = []

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """The schedulers are new here, and the optimizer's state not loaded yet."""
        self.first_rates = [group["lr"] for group in runner.optim_wrapper.param_groups]
        checkpoint["param_schedulers"] = [scheduler.state_dict() for scheduler in runner.param_schedulers]

    def before_train(self, runner: Runner) -> None:
        for group, rate in zip(runner.optim_wrapper.param_groups, self.first_rates, strict=True):
            group["lr"] = rate
        for scheduler in runner.param_schedulers:
            for _ in range(runner.epoch if scheduler.by_epoch else runner.iter):
                scheduler.step()


def check_fits(
    checkpoint: Checkpoint,
    model: TaskNetwork,
    record: Mapping[str, Any],
    settings: Mapping[str, Any],
    *,
    seed: int,
    steps: int,
) -> LaterEnd | None:
    """Refuse to resume another run than this config's, before anything is written.

    Args:
        checkpoint: of the run.
        model: to go on with.
        record: what would be written into ``adapter.json``.
        settings: of the config, by dotted key, see :func:`settings_of_run`.
        seed: of the config.
        steps: of an epoch, in this process.

    Returns:
        A hook for the runner where training ends later than the checkpoint's run would have.

    Raises:
        ValueError: it was made by another model, on other encoders, with another seed, with epochs of another length,
            or with another setting that the rest of the run would ignore or change with.
    """
    meta, tensors = checkpoint.meta, checkpoint.content["state_dict"]
    steps_then = meta.get("steps") or meta["iter"] // max(meta["epoch"], 1)  # checkpoints of version 0.1 do not say
    was = {**json.loads(meta["record"]), "seed": meta.get("seed"), "steps an epoch": steps_then}
    known = {key: value for key, value in record.items() if key != "needs" and (key != "inputs" or key in was)}
    was.pop("needs", None)
    now = json.loads(json.dumps({**known, "seed": seed, "steps an epoch": steps}))
    wrong = {key: values for key, *values in differences(was, now) if not FREE.fullmatch(key)}
    changed, later = _changed(json.loads(meta.get("settings") or "null"), json.loads(json.dumps(settings)))
    wrong |= {key: values for key, values in changed.items() if not key.startswith(("method", "seed"))}
    said = [f"{key} was {then!r}, is {now!r} now" for key, (then, now) in wrong.items()]
    here = {f"{PREFIX}{name}": tensor for name, tensor in trained_tensors(model, model.frozen()).items()}
    odd = [f"{name} is in one of the two alone" for name in sorted(here.keys() ^ tensors.keys())]
    odd += [
        f"{name} has another shape" for name in here.keys() & tensors.keys() if here[name].shape != tensors[name].shape
    ]
    for done, unit, key in (("epoch", "epochs", "train_cfg.max_epochs"), ("iter", "steps", "train_cfg.max_iters")):
        if meta[done] > (ends := settings.get(key, meta[done])):
            odd.append(f"it has {meta[done]} {unit}, training ends after {ends} now")
    if said or odd:
        more = f"; and {len(odd) - TENSORS} more tensors" if len(odd) > TENSORS else ""
        raise ValueError(
            f"{checkpoint.path} is of another run: {'; '.join([*said, *odd[:TENSORS]])}{more}. "
            "Resume with the config that it was made with, or train into another --work-dir"
        )
    return LaterEnd() if later else None


def settings_of_run(config: Config, *, amp: bool) -> dict[str, Any]:
    """What a checkpoint says of the settings that it was made with, by dotted key."""
    schedule = {f"{SCHEDULE}{key}": value for key, value in plain(config.get("schedule") or {}).items()}
    return {**settings_of(config), **schedule, "--amp": amp}


def compared(settings: Mapping[str, Any], digests: Mapping[Modality, str]) -> dict[str, Any]:
    """What ranks must agree on: settings but those that say where things are, and the encoders."""
    return {
        **{key: value for key, value in settings.items() if not FREE.fullmatch(key)},
        **{f"encoders.{m}.digest": digest for m, digest in digests.items()},
    }


def _changed(then: Mapping[str, Any] | None, now: Mapping[str, Any]) -> tuple[dict[str, list[Any]], bool]:
    """Settings that must not differ and do, with both values; and whether training ends later now.

    A schedule is compared by the schedulers that it stands for, and named as a config has it.
    """
    if then is None:  # checkpoints of version 0.1 have no settings
        return {}, False
    schedules = {key for key in {**then, **now} if key.startswith(SCHEDULE)}
    changed = {
        key: [then.get(key), now.get(key)]
        for key in {**then, **now}
        if key not in schedules and then.get(key) != now.get(key) and not FREE.fullmatch(key)
    }
    grown = {key for key, (old, new) in changed.items() if END.fullmatch(key) and _more(new, old)}
    later = any(key.startswith("train_cfg.") for key in grown)
    changed = {key: values for key, values in changed.items() if not (later and key in grown)}
    named = {key: [then.get(key), now.get(key)] for key in sorted(schedules) if then.get(key) != now.get(key)}
    of_schedule = [key for key in changed if key.startswith("param_scheduler.")]
    if of_schedule and named:
        changed = {key: values for key, values in changed.items() if key not in of_schedule} | named
    return changed, later


def _more(now: Any, then: Any) -> bool:
    return isinstance(now, int | float) and isinstance(then, int | float) and now > then
