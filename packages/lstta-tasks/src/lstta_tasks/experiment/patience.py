"""Batches that come in time, or an error: a worker that hangs would otherwise keep everybody waiting for ever."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from lstta_tasks.experiment.loader import Loader

PATIENCE = 300.0
"""Seconds that a batch may take, unless ``loader.timeout`` says otherwise."""


class PatientLoader(Loader):
    """A loader that ends its workers and says so where a batch takes too long.

    The ``timeout`` of torch's own does not do: it ends no worker that is stopped, and what waits for the memory of a
    batch that such a worker has made waits without it.

    Attributes:
        patience: seconds for one batch.
    """

    patience: float = PATIENCE

    def __iter__(self) -> Any:
        batches = super().__iter__()
        return _Patient(batches, self.patience) if self.num_workers else batches


class _Patient(Iterator[Any]):
    def __init__(self, batches: Any, seconds: float) -> None:
        self._batches, self._watch = batches, _Watch(batches._workers, seconds)

    def __len__(self) -> int:
        return len(self._batches)

    def __next__(self) -> Any:
        self._watch.deadline = time.monotonic() + self._watch.seconds
        try:
            return next(self._batches)
        except StopIteration:
            self._watch.ended.set()
            raise
        except Exception as error:
            self._watch.ended.set()
            with suppress(RuntimeError):  # else torch reports the worker that ended once more, at any later moment
                self._batches._shutdown_workers()
            if not self._watch.fired:
                if isinstance(error, ConnectionError | EOFError):  # it ended while it handed a batch over
                    raise RuntimeError(f"DataLoader worker (pid {self._watch.workers[0].pid}) disconnected") from error
                raise
            raise TimeoutError(
                f"no batch came from the loader's workers within {self._watch.seconds:g} s. Does the disk of the cache "
                "answer? loader.timeout=SECONDS gives it longer, loader.workers=0 does without workers; a training "
                "goes on with --resume"
            ) from error
        finally:
            self._watch.deadline = math.inf

    def __del__(self) -> None:
        self._watch.ended.set()


class _Watch(threading.Thread):
    """Kills workers when a deadline has passed, which ends every wait for them.

    Nothing milder does: a worker that is stopped, or waits for a disk, hears nothing else.
    """

    def __init__(self, workers: Any, seconds: float) -> None:
        super().__init__(name="lstta loader watch", daemon=True)
        self.workers, self.seconds = list(workers), seconds
        self.deadline = math.inf
        self.ended = threading.Event()
        self.fired = False
        self.start()

    def run(self) -> None:
        while not self.ended.wait(min(5.0, self.seconds / 4)):
            if time.monotonic() > self.deadline:
                self.fired = True
                for worker in self.workers:
                    worker.kill()
                return
