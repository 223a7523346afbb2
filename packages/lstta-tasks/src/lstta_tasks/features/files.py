"""The features of a file or folder, by id; opened when they are first read, once a process."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstta_core.features import FeatureError, Features
from lstta_tasks.annotations.text import read_text
from lstta_tasks.features.containers import TIMES, VALUES, Container, open_container

SHOWN = 3  # ids in a message
_DAMAGE = (ValueError, OSError, EOFError, RuntimeError, TypeError, MemoryError)  # what reading an array may raise


class FeatureFile:
    """A source of features, see :class:`~lstta_core.features.FeatureSource`. It is pickled without what it has open.

    Args:
        path: a ``.npz`` file, an HDF5 file, a folder of ``.npy`` or ``.npz`` files named by their ids; or, with
            ``ids``, a file with one array for all, such as a ``.npy``.
        width: D. An array is (D,), (n, D) or (n, …, D): n steps in time; what is between are tokens of a step.
        inside: the group or the first part of the names below which entries stand; with ``ids``, the array's name.
        ids: a text file with an id a line, in the order of the rows of the one array.
        channels_first: whether arrays are (n, D, …) instead.
        seconds: how long a step lasts, where the file says no times: the first begins with the clip.
        not_finite: whether NaN and infinite numbers are refused, or zero.
        of: what made them; None for whatever the file says.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        width: int,
        inside: str = "",
        ids: str | Path | None = None,
        channels_first: bool = False,
        seconds: float | None = None,
        not_finite: Literal["refuse", "zero"] = "refuse",
        of: str | None = None,
    ) -> None:
        if seconds is not None and not 0 < seconds < float("inf"):
            raise ValueError(f"seconds: how long a step lasts must be more than 0, got {seconds}")
        self.path = Path(path)
        self.width = width
        self.inside = inside
        self.ids = None if ids is None else Path(ids)
        self.channels_first = channels_first
        self.seconds = seconds
        self.not_finite = not_finite
        self.of = of
        self._opened: _Opened | None = None
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in ("_opened", "_lock")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _opened=None, _lock=threading.Lock())

    @property
    def place(self) -> str:
        return str(self.path)

    def names(self) -> Collection[str]:
        """The ids that there are features of.

        Raises:
            FileNotFoundError: the file is not there.
            FeatureError: it cannot be read, or something else made its features than ``of`` says.
        """
        with self._lock:
            return self._open().entries.keys()

    def read(self, name: str) -> Features:
        """The features of an id. Raises as :meth:`names` does; a FeatureError names file and id."""
        with self._lock:  # zip files and HDF5 have one place to read at
            opened = self._open()
            entry = opened.entries.get(name)
            if entry is None:
                some = ", ".join(map(repr, list(opened.entries)[:SHOWN]))
                raise FeatureError(f"{self.path}: it has no features of {name!r}, but of {some}, …")
            place = f"{self.path}, {name!r}"
            values, times = (
                self._array(opened.container, part, entry.row, place) for part in (entry.values, entry.times)
            )
        assert values is not None
        steps = self._steps(values, place)
        return Features(steps, self._checked_times(times, len(steps), place))

    def _array(self, container: Container, name: str | None, row: int | None, place: str) -> NDArray[Any] | None:
        if name is None:
            return None
        try:
            found = container.array(name)
            return found if row is None else np.asarray(found[row])
        except _DAMAGE as error:
            why = "it holds objects, which are pickles" if "allow_pickle" in str(error) else str(error)
            raise FeatureError(f"{place}: it cannot be read: {why}") from error

    def _steps(self, values: NDArray[Any], place: str) -> NDArray[np.float32]:
        """(n, N, D)."""
        if values.dtype.kind not in "fiu":
            raise FeatureError(f"{place}: numbers are wanted, got {values.dtype}")
        steps = values[None] if values.ndim == 1 else values
        if self.channels_first and steps.ndim > 2:
            steps = np.moveaxis(steps, 1, -1)
        if not 2 <= steps.ndim <= 5 or steps.shape[-1] != self.width:
            second = steps.ndim > 2 and steps.shape[1] == self.width
            raise FeatureError(
                f"{place}: an array of shape {values.shape}; its last length must be width={self.width}"
                + ("; say channels_first=True, since its second one is" if second and not self.channels_first else "")
            )
        steps = steps.reshape(len(steps), -1, self.width).astype(np.float32)
        finite = np.isfinite(steps)
        if finite.all():
            return steps
        if self.not_finite == "refuse":
            bad = int((~finite).any((1, 2)).sum())
            raise FeatureError(
                f"{place}: {bad} of {len(steps)} steps have a number that is NaN or infinite; with not_finite='zero' "
                "such numbers are read as 0"
            )
        return np.where(finite, steps, np.float32(0))

    def _checked_times(self, times: NDArray[Any] | None, steps: int, place: str) -> NDArray[np.float64] | None:
        if times is None:
            if self.seconds is None:
                return None
            edges = np.arange(steps + 1) * self.seconds
            return np.stack([edges[:-1], edges[1:]], axis=1)
        if times.shape != (steps, 2) or times.dtype.kind not in "fiu":
            raise FeatureError(
                f"{place}: {steps} steps, and {TIMES} of shape {times.shape} and type {times.dtype}: when each step "
                f"begins and ends is wanted, numbers of shape {(steps, 2)}"
            )
        spans = times.astype(np.float64)
        wrong = ~(np.isfinite(spans).all(1) & (spans[:, 1] >= spans[:, 0]))
        if wrong.any():
            row = int(wrong.argmax())
            raise FeatureError(f"{place}: step {row} lasts from {spans[row, 0]:g} to {spans[row, 1]:g} seconds")
        return spans

    def _open(self) -> _Opened:
        if self._opened is None or self._opened.pid != os.getpid():
            container = open_container(self.path, self.inside if self.ids is None else "")
            if self.of is not None and (said := container.said()) not in (None, self.of):
                raise FeatureError(f"{self.path}: its features are of {said!r}; those of {self.of!r} are wanted")
            self._opened = _Opened(os.getpid(), container, self._entries(container))
        return self._opened

    def _entries(self, container: Container) -> dict[str, _Entry]:
        names = container.names()
        if self.ids is not None:
            return self._rows(container)
        known = frozenset(names)
        entries = {}
        for name in names:
            entry, _, part = name.rpartition("/")
            if part == VALUES and entry:
                times = f"{entry}/{TIMES}"
                entries[entry] = _Entry(name, times if times in known else None)
            elif not (part == TIMES and f"{entry}/{VALUES}" in known):
                entries[name] = _Entry(name)
        if "" in entries:
            raise FeatureError(f"{self.path}: one array for all: say with ids= which file names its rows, an id a line")
        return entries

    def _rows(self, container: Container) -> dict[str, _Entry]:
        assert self.ids is not None
        lines = read_text(self.ids).split("\n")
        ids = [line.strip() for line in lines if line.strip()]
        names = container.names()
        name = self.inside or (next(iter(names)) if len(names) == 1 else "")
        if name not in names:
            raise FeatureError(f"{self.path}: say with inside= which array is meant: {', '.join(names)}")
        try:
            rows = len(container.array(name))
        except _DAMAGE as error:
            raise FeatureError(f"{self.path}: it cannot be read: {error}") from error
        if rows != len(ids) or len(set(ids)) != len(ids):
            raise FeatureError(
                f"{self.path} has {rows} rows, {self.ids} names {len(ids)}, {len(set(ids))} of them different: as many "
                "are wanted, each once"
            )
        return {one: _Entry(name, row=row) for row, one in enumerate(ids)}


class _Entry(NamedTuple):
    """Where the features of an id are: the array's name, that of their times, and of an array for all the row."""

    values: str
    times: str | None = None
    row: int | None = None


class _Opened(NamedTuple):
    """A file as one process has it open."""

    pid: int
    container: Container
    entries: dict[str, _Entry]
