"""Checkpoints that resume bit for bit, hold no frozen weights, and survive a kill at any moment.

MMEngine's own hook saves before validation, deletes old files before the new ones are whole, and writes objects that
``torch.load`` refuses. Ours waits for the validation, then writes ``best/`` if it was the best so far, and then one
checkpoint: temporary file, fsync, rename, pointer; only then is the one before it deleted.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from lstta_core.adapter_files import save_adapter, trained_tensors
from lstta_core.whole_files import write_text, write_whole
from lstta_tasks.experiment.runner import RunnerModel
from lstta_tasks.network import TaskNetwork

POINTER = "last_checkpoint"
BEST = "best"
PREFIX = "model."
"""Of the names in a checkpoint: the task's network inside the runner's model."""


def save_best(runner: Runner, record: Mapping[str, Any]) -> None:
    """Write ``best/`` into the run folder; ``record`` is what its ``adapter.json`` says."""
    model = _network(runner)
    save_adapter(Path(runner.work_dir) / BEST, trained_tensors(model, model.frozen()), record)


def save_checkpoint(
    runner: Runner, *, best: float | None, record: Mapping[str, Any], settings: Mapping[str, Any]
) -> None:
    """Write the checkpoint of this epoch, then delete the one before.

    Args:
        runner: between two epochs.
        best: the merit of what ``best/`` holds, None where there is none.
        record: what ``adapter.json`` would say.
        settings: of the config, by dotted key; with the record what a resumed run must agree with.
    """
    folder = Path(runner.work_dir)
    path = folder / f"epoch_{runner.epoch}.pth"
    content = _checkpoint(runner, {"best": best, "record": json.dumps(record), "settings": json.dumps(settings)})
    write_whole(path, lambda draft: torch.save(content, draft))
    write_text(folder / POINTER, path.name)
    for old in folder.glob("epoch_*.pth"):
        if old != path:
            old.unlink()


def _checkpoint(runner: Runner, meta: Mapping[str, Any]) -> dict[str, Any]:
    """Plain tensors, numbers and strings, so that it loads under ``weights_only=True``."""
    model = _network(runner)
    tensors = trained_tensors(model, model.frozen())
    return {
        "meta": {"epoch": runner.epoch, "iter": runner.iter, "seed": runner.seed, **meta},
        "state_dict": {f"{PREFIX}{name}": tensor for name, tensor in tensors.items()},
        "optimizer": runner.optim_wrapper.state_dict(),
        "param_schedulers": [scheduler.state_dict() for scheduler in runner.param_schedulers],
        # MMEngine wants these three. Nothing in them is needed to go on, and some is not plain.
        "message_hub": {"log_scalars": {}, "runtime_info": {}, "resumed_keys": {}},
    }


def checkpoint_to_resume(work_dir: Path) -> Path | None:
    """:func:`last_checkpoint`, and a word where there is none: a misspelt folder would cost a whole run."""
    path = last_checkpoint(work_dir)
    if path is None:
        print(f"{work_dir} holds no run to go on with: a new one begins", file=sys.stderr)
    return path


def last_checkpoint(work_dir: Path) -> Path | None:
    """The checkpoint to resume from, None where there is none yet.

    Raises:
        FileNotFoundError: it has been deleted.
        ValueError: the pointer names no checkpoint in the folder.
    """
    pointer = work_dir / POINTER
    if not pointer.is_file():
        return None
    with pointer.open("rb") as file:
        name = file.read(80).decode(errors="replace").strip()
    if not re.fullmatch(r"[\w-]+\.pth", name):
        raise ValueError(f"{pointer}: the name of a file beside it is wanted, such as epoch_3.pth, got {name!r}")
    path = work_dir / name
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file, though {pointer} names it; train into another --work-dir")
    return path


def _network(runner: Runner) -> TaskNetwork:
    """The task's network inside the runner's, distributed or not."""
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    assert isinstance(model, RunnerModel)
    return model.model
