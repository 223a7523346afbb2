"""Checkpoints that resume bit for bit, hold no frozen weights, and survive a kill at any moment.

MMEngine's own hook saves before validation, deletes old files before the new ones are whole, and writes objects that
``torch.load`` refuses. Ours waits for the validation, then writes ``best/`` if it was the best so far, and then one
checkpoint: temporary file, fsync, rename, pointer; only then is the one before it deleted. A signal that asks for the
end has one written after the running step, or before the validation that it came in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from lstta_core.adapter_files import save_adapter, trained_tensors
from lstta_core.whole_files import write_text, write_whole
from lstta_tasks.experiment.distributed import by_rank
from lstta_tasks.experiment.runner import RunnerModel
from lstta_tasks.finite import check_finite
from lstta_tasks.network import TaskNetwork

Gradients = Sequence[Mapping[str, torch.Tensor]]
POINTER = "last_checkpoint"
BEST = "best"
PREFIX = "model."
"""Of the names in a checkpoint: the task's network inside the runner's model."""


def save_best(runner: Runner, record: Mapping[str, Any]) -> None:
    """Write ``best/`` into the run folder; ``record`` is what its ``adapter.json`` says."""
    model = network(runner)
    save_adapter(Path(runner.work_dir) / BEST, trained_tensors(model, model.frozen()), record)


def save_checkpoint(
    runner: Runner,
    *,
    best: tuple[float, float] | None,
    record: Mapping[str, Any],
    settings: Mapping[str, Any],
    gradients: Gradients = (),
) -> Path:
    """Write a checkpoint of where the run stands, then delete the one before.

    Args:
        runner: between two steps.
        best: merit and loss of what ``best/`` holds, None where there is none.
        record: what ``adapter.json`` would say.
        settings: of the config, by dotted key; with the record what a resumed run must agree with.
        gradients: of :func:`waiting_gradients`.

    Raises:
        NotFiniteError: a weight or a moment of the optimizer is NaN or infinite; the checkpoint before stays.
    """
    folder, loop = Path(runner.work_dir), runner.train_loop
    path = folder / (f"epoch_{runner.epoch}_step_{loop.done}.pth" if loop.done else f"epoch_{runner.epoch}.pth")
    meta = {
        "epoch": runner.epoch,
        "iter": runner.iter,
        "done": loop.done,
        "validation_due": loop.validation_due,
        "steps": len(runner.train_dataloader),
        "seed": runner.seed,
        "best": best and best[0],
        "best_loss": best and best[1],
        "record": json.dumps(record, allow_nan=False),
        "settings": json.dumps(settings),
    }
    from lstta_tasks.training.hook_states import states_of

    content = {**_checkpoint(runner), "meta": meta, "gradients": list(gradients)}
    content |= states_of(runner, content)
    check_finite(
        (content["state_dict"], content["optimizer"]["state"]),
        f"epoch {runner.epoch + 1}, step {loop.done}: what {path.name} would hold",
    )
    write_whole(path, lambda draft: torch.save(content, draft))
    write_text(folder / POINTER, path.name)
    for old in folder.glob("epoch_*.pth"):
        if old != path:
            old.unlink()
    return path


def waiting_gradients(runner: Runner) -> Gradients:
    """Of each rank, the gradients that wait for those of further steps, where several make one update. All call it."""
    if runner.optim_wrapper.should_update():
        return []
    model = network(runner)
    return by_rank({name: p.grad.detach().cpu() for name, p in model.named_parameters() if p.grad is not None})


def _checkpoint(runner: Runner) -> dict[str, Any]:
    """Plain tensors, numbers and strings, so that it loads under ``weights_only=True``."""
    model = network(runner)
    tensors = trained_tensors(model, model.frozen())
    return {
        "state_dict": {f"{PREFIX}{name}": tensor for name, tensor in tensors.items()},
        "optimizer": runner.optim_wrapper.state_dict(),
        "param_schedulers": [scheduler.state_dict() for scheduler in runner.param_schedulers],
        # MMEngine wants these three. Nothing in them is needed to go on, and some is not plain.
        "message_hub": {"log_scalars": {}, "runtime_info": {}, "resumed_keys": {}},
    }


@dataclass(frozen=True)
class Checkpoint:
    """One that was read.

    Attributes:
        path: of its file.
        content: all that :func:`save_checkpoint` has written.
    """

    path: Path
    content: dict[str, Any]

    @property
    def meta(self) -> Mapping[str, Any]:
        """Where the run stood, and whose it is."""
        meta: Mapping[str, Any] = self.content["meta"]
        return meta

    @property
    def validated(self) -> int:
        """How many epochs, or steps, are trained, and validated where they should be."""
        settings = json.loads(self.meta.get("settings") or "null") or {}
        done: int = self.meta["epoch" if settings.get("train_cfg.by_epoch", True) else "iter"]
        return done - bool(self.meta.get("validation_due"))

    @property
    def stopped_early(self) -> bool:
        """Whether the run has come to its end before its length, as EarlyStoppingHook lets it."""
        state = self.content.get("early_stop")
        return isinstance(state, dict) and state.get("stopped") is True

    def restore(self, runner: Runner) -> None:
        """Give the runner's network its tensors, of which none is missing, and its loop the place."""
        model = network(runner)
        tensors = {name.removeprefix(PREFIX): tensor for name, tensor in self.content["state_dict"].items()}
        model.load_state_dict(tensors, strict=False)
        if gradients := self.content.get("gradients"):
            own = gradients[runner.rank]
            for name, parameter in model.named_parameters():
                parameter.grad = own[name].to(parameter.device) if name in own else None
        # Checkpoints of version 0.1 were written between two epochs alone.
        runner.train_loop.done = self.meta.get("done", 0)
        runner.train_loop.validation_due = self.meta.get("validation_due", False)


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


def network(runner: Runner) -> TaskNetwork:
    """The task's network inside the runner's, distributed or not."""
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    assert isinstance(model, RunnerModel)
    return model.model
