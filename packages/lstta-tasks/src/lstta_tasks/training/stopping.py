"""SIGTERM, as from Slurm, and Ctrl-C: training ends at the end of the running step, on all ranks at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from lstta_tasks.experiment.distributed import largest

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(SystemExit):
    """A signal has asked for the end; the process's status is the one that shells give for it."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.name = signal.Signals(number).name


class Stopping:
    """While it is entered, the signals are noted; :meth:`check` raises :class:`Stopped` where that does no harm.

    A second Ctrl-C does not wait. Signals that the process ignores, and where another thread than the main one trains
    all of them, do what they did.
    """

    def __init__(self) -> None:
        self._caught: int = 0
        self._waits = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stopping:
        if threading.current_thread() is threading.main_thread():
            heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
            self._before = {number: signal.signal(number, self._note) for number in heard}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if kind is None and self._caught:  # during the last lines
            raise Stopped(self._caught)

    def check(self) -> None:
        """End here if any rank has been asked to. All ranks call it."""
        if caught := largest(self._caught):
            raise Stopped(caught)

    @contextmanager
    def waiting(self, *, alone: bool) -> Iterator[None]:
        """While data is waited for: a process that is ``alone`` need not have it, and ends at once."""
        self._waits = alone
        try:
            if alone and self._caught:
                raise Stopped(self._caught)
            yield
        finally:
            self._waits = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number == self._caught == signal.SIGINT:
            raise KeyboardInterrupt
        self._caught = self._caught or number
        if self._waits:
            raise Stopped(self._caught)
