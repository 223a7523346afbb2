"""Pickles that somebody else made, read without running anything of theirs.

A pickle is a program: it may call whatever it can name. Here it can name what builds sets, complex numbers and numpy
arrays, and nothing else. All else that annotations are made of (dicts, lists, tuples, texts, numbers) needs no name.
Not even numpy's own builders are handed out: they take a dtype whose flags the pickle sets and a list without looking
at its length, either of which reads memory that is not theirs, so their arguments are checked before numpy sees them.
"""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, final

import numpy as np

DTYPE = re.compile(r"b1|[iu][1248]|f[248]|c8|c16|[SU]\d{1,6}|O[48]?")
"""The dtypes that are read: no structured ones, no times."""


def read_pickle(path: Path) -> Any:
    """What a pickle of builtins and numpy arrays holds. The 8-bit strings of Python 2 are read as Latin-1.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it asks for anything else, or is damaged. Nothing that it asked for was run.
    """
    with path.open("rb") as file:
        try:
            return _Restricted(file, encoding="latin1").load()
        except Exception as error:  # a damaged pickle fails in any way
            raise ValueError(f"{path}: cannot be read as a pickle of builtins and numpy arrays: {error}") from error


@final
class _Restricted(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        admitted = ADMITTED.get((module, name))
        if admitted is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}; refused, and nothing was run")
        return admitted


@final
class _Admitted:
    """What a pickle may call, and not change."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *args: Any) -> Any:
        return self._call(*args)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("it changes a function")


@final
class _DType:
    """A dtype while a pickle is read, which gives its byte order in a second step."""

    __slots__ = ("_order", "_text")

    def __init__(self, text: str, align: bool = False, copy: bool = False) -> None:
        if not (isinstance(text, str) and DTYPE.fullmatch(text)):
            raise pickle.UnpicklingError(f"it has an array of dtype {text!r}; numbers, texts and objects are read")
        self._text, self._order = text, "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, order, subarray, names, fields, *_ = state
        if order not in ("<", ">", "=", "|") or (subarray, names, fields) != (None, None, None):
            raise pickle.UnpicklingError("it has an array of a structured dtype")
        self._order = order

    def resolve(self) -> np.dtype[Any]:
        return np.dtype(self._text) if self._text.startswith("O") else np.dtype(self._order + self._text)


@final
class _Array(np.ndarray[Any, Any]):
    """An array that a pickle fills in a second step."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        version, shape, dtype, fortran, content = state
        kind, size = _dtype(dtype), _size(shape)
        if kind.hasobject:
            if not isinstance(content, list) or len(content) != size:
                raise pickle.UnpicklingError(f"an array of {size} objects needs a list of as many")
        else:
            content = _bytes(content, size * kind.itemsize)
        super().__setstate__((version, shape, kind, bool(fortran), content))  # type: ignore[arg-type]


def _empty_array(cls: object, shape: object, typecode: object) -> _Array:
    return _Array((0,), np.int8)


def _from_buffer(content: Any, dtype: Any, shape: Any, order: Literal["C", "F"]) -> np.ndarray[Any, Any]:
    kind, size = _dtype(dtype), _size(shape)
    if kind.hasobject or order not in ("C", "F"):
        raise pickle.UnpicklingError("a buffer holds numbers or texts, in order C or F")
    return _Array(shape, kind, _bytes(content, size * kind.itemsize), order=order)


def _scalar(dtype: Any, content: Any) -> Any:
    kind = _dtype(dtype)
    if kind.hasobject:
        raise pickle.UnpicklingError("a scalar of objects may hold a pickle of its own")
    return np.frombuffer(_bytes(content, kind.itemsize), kind, 1)[0]


def _dtype(dtype: Any) -> np.dtype[Any]:
    if not isinstance(dtype, _DType):
        raise pickle.UnpicklingError(f"a dtype is wanted, got {type(dtype).__name__}")
    return dtype.resolve()


def _size(shape: Any) -> int:
    if not isinstance(shape, tuple) or not all(type(length) is int and length >= 0 for length in shape):
        raise pickle.UnpicklingError(f"{shape!r:.80} is no shape")
    return math.prod(shape)


def _bytes(content: Any, wanted: int) -> bytes:
    content = content.encode("latin1") if isinstance(content, str) else content  # Python 2's bytes were texts
    if not isinstance(content, bytes | bytearray) or len(content) != wanted:
        raise pickle.UnpicklingError(f"{wanted} bytes are wanted for an array")
    return bytes(content)


_NUMPY = {
    ("multiarray", "_reconstruct"): _Admitted(_empty_array),
    ("multiarray", "scalar"): _Admitted(_scalar),
    ("numeric", "_frombuffer"): _Admitted(_from_buffer),
}
ADMITTED: dict[tuple[str, str], Any] = {
    **{(module, kind.__name__): _Admitted(kind) for module in ("builtins", "__builtin__") for kind in (set, frozenset)},
    **{(module, "complex"): _Admitted(complex) for module in ("builtins", "__builtin__")},
    **{(f"numpy.{core}.{module}", name): it for core in ("core", "_core") for (module, name), it in _NUMPY.items()},
    ("numpy", "dtype"): _Admitted(_DType),
    ("numpy", "ndarray"): "numpy.ndarray",  # an argument of _reconstruct, which needs none
}
"""By module and name: all that a pickle may ask for."""
