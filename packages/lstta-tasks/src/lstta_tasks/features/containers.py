"""What files of features are made of: arrays under names, in ``.npz`` files, folders of ``.npy`` files, or HDF5.

Nothing here unpickles: numpy is told not to, and HDF5 has no pickles that are read.

An entry is an array under its id, or, under ``ID/features`` and ``ID/intervals``, an array and the times of its steps
in seconds, as the computational sequences of CMU's SDK have them. What made them is told in a text under ``of``.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lstta_core.features import FeatureError

HDF5 = (".h5", ".hdf5", ".csd")
NUMPY = (".npz", ".npy")
PICKLES = (".pkl", ".pickle", ".p")
VALUES, TIMES = "features", "intervals"
SAID = "lstta:of"
"""The name of the text that says what made them: no id has it."""
EXTRA = "HDF5 files need h5py, which is not installed: pip install 'lstta-tasks[hdf5]'"


class Container(Protocol):
    """Arrays under names."""

    def names(self) -> Collection[str]:
        """All of them."""

    def array(self, name: str) -> NDArray[Any]:
        """One of them. A KeyError where it is not there; a ValueError or an OSError where it cannot be read."""

    def said(self) -> str | None:
        """What made them, as far as the file says it."""


def open_container(path: Path, inside: str = "") -> Container:
    """What is at a path.

    Args:
        path: of a file or a folder.
        inside: the group of an HDF5 file, or the first part of the names in another, below which entries stand.

    Raises:
        FileNotFoundError: there is nothing.
        FeatureError: it is a pickle, damaged, or of a kind that is not read; or HDF5, and h5py is missing.
    """
    suffix = path.suffix.lower()
    if suffix in PICKLES:
        raise FeatureError(
            f"{path}: pickles are programs and not read here: convert it, lstta features convert {path} --out FOLDER"
        )
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file or folder of features")
    try:
        if path.is_dir():
            return Folder(path, inside)
        if suffix in HDF5:
            return Hdf5(path, inside)
        if suffix in NUMPY:
            return Npz(path, inside) if suffix == ".npz" else Single(path)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise FeatureError(f"{path}: it cannot be read: {error}") from error
    kinds = ", ".join((*NUMPY, *HDF5))
    raise FeatureError(f"{path}: features are in a folder, or in a file that ends in {kinds}")


class Npz:
    """A file of numpy's ``savez``; arrays are read out of it one by one."""

    def __init__(self, path: Path, inside: str) -> None:
        self._file: Any = np.load(path, allow_pickle=False)
        self._inside = f"{inside}/" if inside else ""

    def names(self) -> Collection[str]:
        start = self._inside
        return [name[len(start) :] for name in self._file.files if name.startswith(start) and name != SAID]

    def array(self, name: str) -> NDArray[Any]:
        found: NDArray[Any] = self._file[self._inside + name]
        return found

    def said(self) -> str | None:
        return str(self._file[SAID]) if SAID in self._file.files else None


class Single:
    """A file of numpy's ``save``: one array, under no name."""

    def __init__(self, path: Path) -> None:
        self._array = np.load(path, allow_pickle=False, mmap_mode="r")

    def names(self) -> Collection[str]:
        return [""]

    def array(self, name: str) -> NDArray[Any]:
        if name:
            raise KeyError(name)
        return self._array

    def said(self) -> str | None:
        return None


class Folder:
    """A file for each id, ``ID.npy`` or ``ID.npz``, there and in folders within."""

    def __init__(self, path: Path, inside: str) -> None:
        self._root = path / inside if inside else path

    @cached_property
    def _files(self) -> dict[str, Path]:
        return dict(self._entries())

    def _entries(self) -> Iterator[tuple[str, Path]]:
        for path in sorted(self._root.rglob("*")):
            name = path.relative_to(self._root).with_suffix("").as_posix()
            if path.suffix == ".npy":
                yield name, path
            elif path.suffix == ".npz":
                yield from ((f"{name}/{part}", path) for part in (VALUES, TIMES))

    def names(self) -> Collection[str]:
        return self._files

    def array(self, name: str) -> NDArray[Any]:
        path = self._files[name]
        if path.suffix == ".npy":
            found: NDArray[Any] = np.load(path, allow_pickle=False)
            return found
        with np.load(path, allow_pickle=False) as arrays:
            part = name.rpartition("/")[2]
            only = arrays.files[0] if part == VALUES and len(arrays.files) == 1 else part
            one: NDArray[Any] = arrays[only]
            return one

    def said(self) -> str | None:
        said = self._root / f"{SAID.replace(':', '-')}.txt"
        return said.read_text(encoding="utf-8").strip() if said.is_file() else None


class Hdf5:
    """An HDF5 file; of one computational sequence, entries are those of its group ``data``."""

    def __init__(self, path: Path, inside: str) -> None:
        try:
            import h5py
        except ImportError as error:
            raise FeatureError(f"{path}: {EXTRA}") from error
        self._file = h5py.File(path, "r")
        self._group = self._file
        if inside:
            if inside not in self._file:
                raise ValueError(f"there is no {inside!r} in it, but {', '.join(map(repr, list(self._file)[:5]))}")
            self._group = self._file[inside]
        elif len(self._file) == 1 and isinstance(only := next(iter(self._file.values())), h5py.Group):
            self._group = only.get("data", self._file)

    def names(self) -> Collection[str]:
        if not hasattr(self._group, "visititems"):
            return [""]  # a dataset, named with inside
        found: list[str] = []
        self._group.visititems(lambda name, thing: found.append(name) if hasattr(thing, "dtype") else None)
        return found

    def array(self, name: str) -> NDArray[Any]:
        found: NDArray[Any] = self._group[name][()] if name else self._group[()]
        return found

    def said(self) -> str | None:
        said = self._file.attrs.get(SAID)
        return None if said is None else str(said)
