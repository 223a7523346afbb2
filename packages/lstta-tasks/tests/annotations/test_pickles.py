"""Arrays and builtins come through in every protocol; whatever would run something is refused and runs nothing."""

from __future__ import annotations

import builtins
import codecs
import functools
import importlib
import operator
import os
import pickle
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing._private.utils import runstring

from lstta_tasks.annotations.pickles import read_pickle

CONTENT: dict[str, Any] = {
    "builtins": [None, True, 3, 2**70, 0.1, "é 🙂 שלום", b"\x00\xff", (1, [2, {"a": 3}])],
    "more builtins": [{1, 2}, frozenset("ab"), 1 + 2j],
    "shapes": [np.zeros((0,)), np.zeros((2, 0, 3)), np.array(5.0), np.arange(24).reshape(2, 3, 4)],
    "orders": [np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(12).reshape(3, 4)[:, ::2]],
    "dtypes": [np.arange(5).astype(kind) for kind in ("?", "u1", "<i2", ">i4", "u8", "f2", "<f4", ">f8", "c8", "c16")],
    "texts": [np.array(["a", "שלום", "🙂"]), np.array([b"a", b"bcd"]), np.array(["a", None, 3], dtype=object)],
    "scalars": [np.float32(0.5), np.int64(7), np.bool_(True), np.str_("é")],
}


def same(one: Any, other: Any) -> None:
    """Equal in content and, for arrays, in dtype and shape."""
    if isinstance(one, np.ndarray | np.generic):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    elif isinstance(one, list):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            same(*pair)
    else:
        assert type(one) is type(other)
        assert one == other


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("name", CONTENT)
def test_builtins_and_arrays_come_through(tmp_path: Path, name: str, protocol: int) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(CONTENT[name], protocol=protocol))
    same(pickle.loads(path.read_bytes()), read_pickle(path))


def test_numpys_older_module_names(tmp_path: Path) -> None:
    array = np.arange(6, dtype="<f4").reshape(2, 3)
    content = pickle.dumps(array, protocol=3).replace(b"numpy._core.", b"numpy.core.")
    assert b"numpy.core.multiarray" in content
    (tmp_path / "a.pkl").write_bytes(content)
    same(array, read_pickle(tmp_path / "a.pkl"))


def test_texts_and_arrays_of_python_2(tmp_path: Path) -> None:
    """Written by hand, as Python 2 did: texts and the bytes of arrays are 8-bit strings."""
    values = np.array([1.5, -2.0], "<f4").tobytes()
    content = (
        b"\x80\x02}(U\x04caf\xe9cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x02\x85cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89U" + struct.pack("B", len(values)) + values + b"tbU\x03setc__builtin__\nset\n](K\x01K\x02e\x85Ru."
    )
    (tmp_path / "a.pkl").write_bytes(content)
    found = read_pickle(tmp_path / "a.pkl")
    assert list(found) == ["café", "set"]
    same(np.array([1.5, -2.0], "<f4"), found["café"])
    assert found["set"] == {1, 2}


class Call:
    """Pickles as a call."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


class State:
    """Pickles as what the call gives, with a state set."""

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], state: Any) -> None:
        self.call = function, args, state

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...], Any]:
        return self.call


def gadgets(canary: Path) -> dict[str, Any]:
    """Pickles that make the canary's file when they are loaded as usual."""
    shell, python = f"touch '{canary}'", f"__import__('pathlib').Path({str(canary)!r}).touch()"
    partial = Call(functools.partial, os.system, shell)
    module = Call(importlib.import_module, "os")
    return {
        "os.system": Call(os.system, shell),
        "subprocess.Popen": Call(subprocess.check_call, ["touch", str(canary)]),
        "builtins.eval": Call(builtins.eval, python),
        "builtins.exec": Call(builtins.exec, python),
        "builtins.open": Call(builtins.open, str(canary), "w"),
        "builtins.getattr": Call(operator.call, Call(builtins.getattr, module, "system"), shell),
        "builtins.__import__": Call(operator.call, Call(builtins.getattr, Call(__import__, "os"), "system"), shell),
        "builtins.map": Call(list, Call(map, os.system, [shell])),
        "functools.partial": Call(operator.call, partial),
        "operator.methodcaller": Call(operator.call, Call(operator.methodcaller, "system", shell), module),
        "codecs": Call(exec, Call(codecs.decode, codecs.encode(python, "rot13"), "rot13")),
        "a pickle in a pickle": Call(pickle.loads, pickle.dumps(Call(os.system, shell))),
        "numpy's runstring": Call(runstring, python, {}),
        "numpy's load": Call(_np_load, pickle.dumps(Call(os.system, shell)), str(canary.parent / "inner.npy")),
        "in a dict": {"train": {"raw_text": [Call(os.system, shell)]}},
        "in an array": np.array([Call(os.system, shell)], dtype=object),
    }


def _np_load(content: bytes, path: str) -> None:
    Path(path).write_bytes(content)
    np.load(path, allow_pickle=True)


@pytest.mark.parametrize("name", gadgets(Path("canary")))
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_would_run_something(tmp_path: Path, name: str, protocol: int) -> None:
    canary, path = tmp_path / "canary", tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(gadgets(canary)[name], protocol=protocol))
    with pytest.raises(ValueError, match=r"a.pkl: cannot be read .* it asks for .* refused, and nothing was run"):
        read_pickle(path)
    assert not canary.exists()
    pickle.loads(path.read_bytes())
    assert canary.exists()  # it was a real one


ARRAY = np.arange(4.0)
RECONSTRUCT, (NDARRAY, *_) = ARRAY.__reduce__()[:2]  # type: ignore[misc]
OBJECTS = [("a", "O8")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (Call(np.fromfile, "secret"), "it asks for numpy"),
        (Call(np.memmap, "secret"), "it asks for numpy"),
        (Call(np.ndarray, (2**40,)), "not callable"),
        (np.datetime64("2020-01-01"), "dtype 'M8'"),
        (np.zeros(2, [("a", "f4"), ("b", "f8")]), "dtype 'V12'"),
        (State(RECONSTRUCT, (NDARRAY, (0,), b"b"), (1, (3,), np.dtype("O"), False, ["a"])), "an array of 3 objects"),
        (State(RECONSTRUCT, (NDARRAY, (0,), b"b"), (1, (3,), np.dtype("O"), False, b"\x01" * 24)), "an array of 3 obj"),
        (State(RECONSTRUCT, (NDARRAY, (0,), b"b"), (1, (3,), np.dtype("f8"), False, b"abc")), "24 bytes are wanted"),
        (State(RECONSTRUCT, (NDARRAY, (0,), b"b"), (1, (-1,), np.dtype("f8"), False, b"")), "is no shape"),
        (State(RECONSTRUCT, (NDARRAY, (0,), b"b"), (1, (2**62, 4), np.dtype("f8"), False, b"")), "bytes are wanted"),
        (State(RECONSTRUCT, (NDARRAY, (0,), b"b"), (1, (1,), "f8", False, b"12345678")), "a dtype is wanted"),
        (State(np.dtype, ("f8",), (3, "<", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 8, 0)), "structured dtype"),
        (State(np.dtype, ("f8",), (3, "<", (np.dtype("O"), (1,)), None, None, 8, 8, 0)), "structured dtype"),
        (Call(np.dtype, OBJECTS), "an array of dtype"),
        (Call(np.float64(1).__reduce__()[0], np.dtype("O"), pickle.dumps(0)), "a scalar of objects"),  # type: ignore[index]
    ],
)
def test_numpys_own_ways_into_memory_and_files(tmp_path: Path, content: Any, said: str) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(content, protocol=4))
    with pytest.raises(ValueError, match=rf"a.pkl: cannot be read .*{said}"):
        read_pickle(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"cbuiltins\nset\n}b.", "it changes a function"),
        (b"cnumpy.core.multiarray\n_reconstruct\n(N}V__defaults__\n(tstb.", "it changes a function"),
        (b"\x80\x04\x8c\x08builtins\x8c\x0dset.__class__\x93.", "it asks for builtins.set.__class__"),
        (b"Ppersistent\n.", "persistent"),
        (pickle.dumps(list(range(99)))[:-20], ""),
        (b"", ""),
        (b"\x89PNG\r\n", ""),
    ],
)
def test_other_broken_pickles(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"a.pkl: cannot be read .*{said}"):
        read_pickle(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none.pkl"):
        read_pickle(tmp_path / "none.pkl")
