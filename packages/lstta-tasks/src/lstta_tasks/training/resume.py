"""Going on with a run: what must be as it was, and a later end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from lstta_core.adapter_files import trained_tensors
from lstta_tasks.experiment.settings import WHERE
from lstta_tasks.network import TaskNetwork
from lstta_tasks.training.checkpoint_file import read_checkpoint
from lstta_tasks.training.checkpoints import PREFIX

FREE = re.compile(rf"{WHERE.pattern}|task\.path|model\.(compile|checkpointing)(\..*)?")
"""Keys that say where things are and how steps are computed. The samples' count, the encoders' digests and the clips'
preprocessing are compared by themselves."""
END = re.compile(r"train_cfg\.max_epochs|param_scheduler\.\d+\.(end|T_max|total_steps)")
"""Keys that may grow: training goes on for longer."""


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
    path: Path,
    model: TaskNetwork,
    record: Mapping[str, Any],
    settings: Mapping[str, Any],
    *,
    seed: int,
    steps: int,
) -> LaterEnd | None:
    """Refuse to resume another run than this config's, before anything is written.

    Args:
        path: of the checkpoint.
        model: to go on with.
        record: what would be written into ``adapter.json``.
        settings: of the config, by dotted key.
        seed: of the config.
        steps: of an epoch, in this process.

    Returns:
        A hook for the runner where training ends later than the checkpoint's run would have.

    Raises:
        ValueError: the file is damaged, or was made by another model, on other encoders, with another seed, with
            epochs of another length, or with another setting that the rest of the run would ignore or change with.
    """
    checkpoint = read_checkpoint(path)
    meta, tensors = checkpoint["meta"], checkpoint["state_dict"]
    then = {"seed": meta.get("seed"), "steps an epoch": meta["iter"] // max(meta["epoch"], 1)}
    was = {**json.loads(meta["record"]), **then}
    settings_then = json.loads(meta.get("settings") or "null")
    known = {key: value for key, value in record.items() if key != "needs" and (key != "inputs" or key in was)}
    was.pop("needs", None)
    differences = _differences(was, json.loads(json.dumps({**known, "seed": seed, "steps an epoch": steps})))
    wrong = [entry for entry in differences if not FREE.fullmatch(entry.split(" was ")[0])]
    later = False
    if settings_then is not None:  # checkpoints of version 0.1 have none
        now = json.loads(json.dumps(settings))
        changed = [
            key for key in settings_then | now if settings_then.get(key) != now.get(key) and not FREE.fullmatch(key)
        ]
        grown = [key for key in changed if END.fullmatch(key) and _more(now.get(key), settings_then.get(key))]
        later = "train_cfg.max_epochs" in grown
        said = {entry.split(" was ")[0] for entry in wrong}
        wrong += [
            f"{key} was {settings_then.get(key)!r}, is {now.get(key)!r} now"
            for key in changed
            if key not in said and not (later and key in grown) and not key.startswith(("method", "seed"))
        ]
    here = {f"{PREFIX}{name}": tensor for name, tensor in trained_tensors(model, model.frozen()).items()}
    wrong += [f"{name} is in one of the two alone" for name in sorted(here.keys() ^ tensors.keys())]
    wrong += [
        f"{name} has another shape" for name in here.keys() & tensors.keys() if here[name].shape != tensors[name].shape
    ]
    if meta["epoch"] > (ends := settings.get("train_cfg.max_epochs", meta["epoch"])):
        wrong.append(f"it has {meta['epoch']} epochs, training ends after {ends} now")
    if wrong:
        raise ValueError(
            f"{path} is of another run: {'; '.join(wrong[:4])}{f' and {len(wrong) - 4} more' if wrong[4:] else ''}. "
            "Resume with the config that it was made with, or train into another --work-dir"
        )
    return LaterEnd() if later else None


def _more(now: Any, then: Any) -> bool:
    return isinstance(now, int | float) and isinstance(then, int | float) and now > then


def _differences(then: Any, now: Any, key: str = "") -> Iterator[str]:
    if isinstance(then, dict) and isinstance(now, dict):
        for name in then | now:
            yield from _differences(then.get(name), now.get(name), f"{key}.{name}" if key else name)
    elif then != now:
        yield f"{key} was {then!r}, is {now!r} now"
