"""Whose a run folder is: one training's at a time, and where that one begins is the first rank's word."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lstta_tasks.experiment.distributed import on_first
from lstta_tasks.file_lock import NoLocksError, lock_beside
from lstta_tasks.training.checkpoint_file import read_checkpoint
from lstta_tasks.training.checkpoints import BEST, POINTER, Checkpoint, last_checkpoint


@contextmanager
def taken(work_dir: Path) -> Iterator[None]:
    """The folder for this training alone, of whichever ranks; only the first one writes into it.

    Raises:
        ValueError: another training has it.
    """
    with ExitStack() as held:
        on_first(lambda: _take(work_dir.resolve(), held))
        yield


def _take(folder: Path, held: ExitStack) -> None:
    beside = folder if os.access(_first_that_is_there(folder.parent), os.W_OK) else folder / "run"
    try:
        alone = held.enter_context(lock_beside(beside))
    except NoLocksError as error:
        print(f"{error}: take care that no second training writes into {folder}", file=sys.stderr)
        return
    if not alone:
        raise ValueError(
            f"{folder}: another training is at work in this folder. Wait until it has ended, or give another --work-dir"
        )


def _first_that_is_there(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def where_to_begin(work_dir: Path, *, resume: bool) -> Checkpoint | None:
    """The checkpoint to go on from, as the first rank finds it in its folder; None for the beginning.

    Raises:
        ValueError: there is a run and ``resume`` is not given, or its checkpoint is damaged.
        FileNotFoundError: the checkpoint has been deleted.
    """
    return on_first(lambda: _where_to_begin(work_dir, resume))


def _where_to_begin(work_dir: Path, resume: bool) -> Checkpoint | None:
    if not resume:
        if (work_dir / POINTER).exists() or (work_dir / BEST).exists():
            raise ValueError(f"{work_dir} holds a run: give --resume to go on with it, or another --work-dir")
        return None
    path = last_checkpoint(work_dir)
    if path is None:  # said, since a misspelt folder would cost a whole run
        print(f"{work_dir} holds no run to go on with: a new one begins", file=sys.stderr)
        return None
    return read_checkpoint(path)
