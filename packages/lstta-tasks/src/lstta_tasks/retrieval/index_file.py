"""The file of an index: an npz of a few plain arrays. Nothing is allocated that the file does not hold."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstta_core.whole_files import write_whole

SCHEMA = 1


class _Kind(NamedTuple):
    """What an array is like: the letter of its type in NumPy, and how many axes it has."""

    letter: str
    axes: int


KINDS = {
    "schema": _Kind("i", 0),
    "adapter": _Kind("U", 0),
    "digest": _Kind("U", 0),
    "clip_ids": _Kind("U", 1),
    "clips": _Kind("f", 2),
    "text_ids": _Kind("U", 1),
    "captions": _Kind("U", 1),
    "texts": _Kind("f", 2),
}
"""All that an index holds. What it means is said in ``index``."""


def write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write the arrays, all of them or nothing."""

    def write(draft: Path) -> None:
        with draft.open("wb") as file:
            np.savez(file, **{"schema": SCHEMA, **arrays})

    write_whole(path, write)


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays, checked: names, types, shapes and how they fit together; numbers are finite.

    Raises:
        ValueError: they are not those of an index; the message names file and array.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            stored = [info.filename.removesuffix(".npy") for info in archive.infolist()]
            arrays = {name: _read(archive, name, path) for name in KINDS if name in stored}
            if sorted(stored) != sorted(KINDS):
                raise ValueError(f"it holds {', '.join(stored[:9])}; {', '.join(KINDS)} are wanted, each once")
            _check(arrays)
    except Exception as error:  # a damaged file fails in any way
        raise ValueError(f"{path}: not an index of lstta retrieve ({error}): make it again") from error
    return arrays


def _read(archive: zipfile.ZipFile, name: str, path: Path) -> NDArray[Any]:
    info = archive.getinfo(f"{name}.npy")
    if info.compress_type != zipfile.ZIP_STORED or info.file_size > path.stat().st_size:
        raise ValueError(f"{name}: it is compressed, or larger than the file")
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"{name}: an npy file of version {version}")
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_columns, dtype = read_header(file)
        letter, axes = KINDS[name]
        if dtype.hasobject:
            raise ValueError(f"{name}: objects, which only a pickle holds: allow_pickle is off")
        if dtype.kind != letter or len(shape) != axes or (by_columns and axes > 1) or not dtype.isnative:
            raise ValueError(f"{name}: an array of {axes} axes and type {letter!r} is wanted, got {dtype} of {shape}")
        data = file.read()
    if min(shape, default=0) < 0 or prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"{name}: {dtype} of {shape} is said to be in {len(data):,} bytes")
    if not dtype.itemsize:
        return np.zeros(shape, dtype)
    array: NDArray[Any] = np.frombuffer(data, dtype).reshape(shape)
    if letter == "U" and (array.reshape(-1).view(np.uint32) > 0x10FFFF).any():
        raise ValueError(f"{name}: it has characters that are none")
    return array


def _check(arrays: Mapping[str, NDArray[Any]]) -> None:
    if int(arrays["schema"]) != SCHEMA:
        raise ValueError(f"its schema is {arrays['schema']}, {SCHEMA} is wanted")
    clips, texts = arrays["clips"], arrays["texts"]
    if texts.shape[1] != clips.shape[1]:
        raise ValueError(f"texts: vectors of {texts.shape[1]} numbers, clips have {clips.shape[1]}")
    for name, vectors in (("clip_ids", clips), ("text_ids", texts), ("captions", texts)):
        if len(arrays[name]) != len(vectors):
            raise ValueError(f"{name}: {len(arrays[name])} for {len(vectors)} vectors")
    for name in ("clips", "texts"):
        if arrays[name].dtype != np.float32 or not np.isfinite(arrays[name]).all():
            raise ValueError(f"{name}: finite numbers of float32 are wanted, got {arrays[name].dtype}")
