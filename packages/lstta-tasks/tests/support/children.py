"""Training in a process of its own that may kill itself, with SIGKILL, at a moment of one's choice.

The child is as a fresh interpreter, as a run that is started again is; what it patches is its own.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

from lstta_core.adapter_files import save_adapter
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.runner import TaskMetric
from lstta_tasks.explain import picture as drawing
from lstta_tasks.training import checkpoints
from lstta_tasks.training.train import SeedHook, train

SUPPORT = Path(__file__).parent
KILLED = -signal.SIGKILL
DRAWN = drawing.picture


def train_in_child(
    config: Path,
    work_dir: Path,
    *,
    resume: bool = False,
    options: dict[str, Any] | None = None,
    kill: str | None = None,
) -> int:
    """Train in a child and return its exit code, ``KILLED`` where it killed itself; ``kill`` names one of KILLS."""
    # Sums depend on the number of threads.
    arguments = (torch.get_num_threads(), dict(os.environ), config, work_dir, resume, options, kill)
    # Its loader has workers of its own, so it must not be a daemon.
    child = context().Process(target=_train, args=arguments, daemon=False)
    child.start()
    child.join()
    assert child.exitcode is not None
    return child.exitcode


def context() -> Any:
    """Makes processes: where a system can, forks of one that has done nothing but the imports that take long."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["lstta_tasks.training.train", "lstta_tasks.experiment.evaluate", "tensorboard"])
    return found


def _train(
    threads: int,
    environment: dict[str, str],
    config: Path,
    work_dir: Path,
    resume: bool,
    options: dict[str, Any] | None,
    kill: str | None,
) -> None:
    torch.set_num_threads(threads)
    os.environ.update(environment)
    skip_pictures()
    if kill is not None:
        KILLS[kill]()
    train(load_config(config, options), work_dir=work_dir, resume=resume)


def skip_pictures() -> None:
    """Draw nothing to speak of: drawing takes longer than all the rest."""
    mock.patch.object(drawing, "picture", grey_picture).start()


def true_pictures() -> Any:
    """A context in which trainings draw what they draw for users."""
    return mock.patch.object(drawing, "picture", DRAWN)


def grey_picture(*_: Any) -> Any:
    """In place of a picture of an explanation."""
    return np.full((8, 8, 3), 128, np.uint8)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _in_epoch(epoch: int) -> None:
    before = SeedHook.before_train_iter

    def patched(self: SeedHook, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        before(self, runner, batch_idx, data_batch)
        if (runner.epoch, batch_idx) == (epoch, 2):
            _die()

    mock.patch.object(SeedHook, "before_train_iter", patched).start()


def _in_validation() -> None:
    """In the middle of the second one: each has four batches."""
    before = TaskMetric.process
    batches: list[None] = []

    def patched(self: TaskMetric, data_batch: Any, data_samples: Any) -> None:
        before(self, data_batch, data_samples)
        batches.append(None)
        if len(batches) == 6:
            _die()

    mock.patch.object(TaskMetric, "process", patched).start()


def _in_the_middle_of_a_checkpoint() -> None:
    before = torch.save
    calls: list[None] = []

    def patched(content: Any, path: Path) -> None:
        calls.append(None)
        if len(calls) == 1:
            before(content, path)
            return
        whole = io.BytesIO()
        before(content, whole)
        path.write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
        _die()

    mock.patch.object(torch, "save", patched).start()


def _before_the_pointer() -> None:
    before = checkpoints.write_text
    pointers: list[None] = []

    def patched(path: Path, text: str) -> None:
        if path.name == checkpoints.POINTER:
            pointers.append(None)
            if len(pointers) == 2:
                _die()
        before(path, text)

    mock.patch.object(checkpoints, "write_text", patched).start()


def _before_the_old_one_is_deleted() -> None:
    before = Path.unlink

    def patched(self: Path, missing_ok: bool = False) -> None:
        if self.suffix == ".pth":
            _die()
        before(self, missing_ok)

    mock.patch.object(Path, "unlink", patched).start()


def _after_the_first_best() -> None:
    def patched(folder: Path, tensors: Any, record: Any) -> None:
        save_adapter(folder, tensors, record)
        _die()

    mock.patch.object(checkpoints, "save_adapter", patched).start()


def _while_the_best_is_replaced() -> None:
    """Between the two renames: the old folder has been moved aside, the new one is not in its place."""
    before = Path.rename

    def patched(self: Path, target: Path) -> Path:
        if Path(target).name == checkpoints.BEST and any(Path(target).parent.glob(".best.old")):
            _die()
        return before(self, target)

    mock.patch.object(Path, "rename", patched).start()


KILLS: dict[str, Callable[[], None]] = {
    "in the first epoch": lambda: _in_epoch(0),
    "in the second epoch": lambda: _in_epoch(1),
    "in a validation": _in_validation,
    "in the middle of a checkpoint": _in_the_middle_of_a_checkpoint,
    "before the pointer": _before_the_pointer,
    "before the old checkpoint is deleted": _before_the_old_one_is_deleted,
    "between best and checkpoint": _after_the_first_best,
    "while the best is replaced": _while_the_best_is_replaced,
}
