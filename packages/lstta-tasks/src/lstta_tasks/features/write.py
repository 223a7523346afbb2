"""Files of features, written entry by entry, whole or not at all."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lstta_core.features import FeatureError, Features
from lstta_core.whole_files import write_whole
from lstta_tasks.features.containers import EXTRA, SAID, TIMES, VALUES

Form = Literal["npz", "h5"]
FORMS = get_args(Form)
Add = Callable[[str, NDArray[Any]], None]


def write_features(path: Path, entries: Iterable[tuple[str, Features]], *, of: str | None = None) -> int:
    """Write a ``.npz`` or ``.h5`` file, by its name's ending.

    Args:
        path: of the file.
        entries: features by their ids; each is written before the next is asked for.
        of: what made them.

    Returns:
        How many there were.

    Raises:
        FeatureError: an id comes twice or is none for a file, or HDF5 is wanted and h5py is missing.
    """
    known: set[str] = set()

    def write(add: Add) -> None:
        for name, features in entries:
            if not name or name in known or name == SAID or "\0" in name:
                raise FeatureError(f"{path}: {name!r} {'is there twice' if name in known else 'is no id'}")
            known.add(name)
            values = features.values
            array = values[:, 0] if values.shape[1] == 1 else values
            add(name if features.times is None else f"{name}/{VALUES}", array)
            if features.times is not None:
                add(f"{name}/{TIMES}", features.times)

    write_whole(path, lambda draft: (_hdf5 if path.suffix == ".h5" else _npz)(draft, write, of))
    return len(known)


def _npz(path: Path, write: Callable[[Add], None], of: str | None) -> None:
    with zipfile.ZipFile(path, "w", allowZip64=True) as archive:

        def add(name: str, array: NDArray[Any]) -> None:
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asarray(array, order="C"), allow_pickle=False)

        if of is not None:
            add(SAID, np.array(of))
        write(add)


def _hdf5(path: Path, write: Callable[[Add], None], of: str | None) -> None:
    try:
        import h5py
    except ImportError as error:
        raise FeatureError(EXTRA) from error
    with h5py.File(path, "w") as file:
        if of is not None:
            file.attrs[SAID] = of
        write(lambda name, array: file.create_dataset(name, data=array))
