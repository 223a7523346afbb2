"""Batches from a place in an epoch on, and workers that outlive the signals which ask a training to end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from types import TracebackType
from typing import Any

from mmengine.dataset import DefaultSampler
from torch.utils.data import DataLoader, Dataset

LOOK = 5.0
"""Seconds between two looks at whether the process that a worker belongs to is there."""


class PlacedSampler(DefaultSampler):
    """MMEngine's sampler, from a place on.

    Attributes:
        done: how many of this rank's samples the next iteration leaves out. The length is that of a whole epoch.
        order: gives all ranks' places in place of MMEngine's shuffling, by the epoch's number.
        mark: makes of the places and the epoch's number what the data set is given in place of places.
    """

    done: int = 0
    order: Callable[[int], list[int]] | None = None
    mark: Callable[[Iterator[int], int], Iterator[Any]] = staticmethod(lambda places, epoch: places)

    def __iter__(self) -> Iterator[Any]:
        places = super().__iter__()
        if self.order is not None:
            whole = self.order(self.epoch)
            places = islice(cycle(whole), self.rank, self.total_size, self.world_size)
        return islice(self.mark(places, self.epoch), self.done, None)


class Loader(DataLoader[Any]):
    """A loader whose workers start with SIGTERM and SIGINT held back, until :func:`outlive_signals` sees to them.

    Without it they would never end. So it is not for the caller to give. Windows has no such signals to hold back.
    """

    def __init__(self, dataset: Dataset[Any], **options: Any) -> None:
        super().__init__(dataset, **{**options, "worker_init_fn": outlive_signals})

    def __iter__(self) -> Any:
        if sys.platform == "win32" or not self.num_workers:
            return super().__iter__()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        try:
            return super().__iter__()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def outlive_signals(worker: int) -> None:
    """Have a loader's worker end with its process, and not with a signal to all processes, as Slurm's or Ctrl-C's.

    A worker that ended first would take a training down before it has written its last checkpoint.
    """
    sys.excepthook = _tell_unless_nobody_listens
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "win32":
        return
    if hasattr(signal, "sigtimedwait"):  # which macOS lacks
        # Of a worker that was not forked by its process itself, but by a server of forks.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    else:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _tell_unless_nobody_listens(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A batch that a worker hands over while its training ends is no error: multiprocessing would print a traceback."""
    if not isinstance(error, ConnectionError):
        sys.__excepthook__(kind, error, trace)


def _end_with(parent: int) -> None:
    """End when the parent says so, or has ended. SIGTERM is held back in all threads of a worker."""
    owner = multiprocessing.parent_process()
    owners = {parent, None if owner is None else owner.pid}
    assert hasattr(signal, "sigtimedwait")
    while os.getppid() == parent:
        caught = signal.sigtimedwait({signal.SIGTERM}, LOOK)
        if caught is not None and caught.si_pid in owners:
            break
    os._exit(0)
