"""Checkpoints from strangers: plain tensors that lie in the file, or nothing."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lstta_tasks.training.checkpoint_file import read_checkpoint

META = {"epoch": 2, "iter": 6, "seed": 0, "best": None, "record": "{}", "settings": None}
CONTENT: dict[str, Any] = {
    **{"meta": META, "state_dict": {"model.x": torch.ones(3, 5)}, "optimizer": {"state": {}, "param_groups": []}},
    **{"param_schedulers": [], "message_hub": {}},
}


class Bomb:
    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def save(path: Path, **changes: Any) -> Path:
    torch.save({**CONTENT, **changes}, path)
    return path


def rewritten(path: Path, change: Callable[[bytes], bytes], compression: int = zipfile.ZIP_STORED) -> None:
    """The same archive with another pickle."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in parts.items():
            archive.writestr(name, change(data) if name.endswith("data.pkl") else data)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return save(tmp_path / "epoch_2.pth")


def test_ours_are_read(path: Path) -> None:
    assert torch.equal(read_checkpoint(path).content["state_dict"]["model.x"], torch.ones(3, 5))
    rewritten(path, lambda data: data)
    assert read_checkpoint(path).meta == META


@pytest.mark.parametrize("function", [os.system, open, bytearray, torch.device, torch.Size, pickle.loads])
def test_whatever_it_calls_is_refused(path: Path, function: Callable[..., Any]) -> None:
    save(path, message_hub={"x": Bomb(function, "9")})
    with pytest.raises(
        ValueError, match=r"epoch_2.pth: not a whole checkpoint of ours \(it.* refused, and nothing was"
    ):
        read_checkpoint(path)


def test_what_takes_memory_is_refused(path: Path) -> None:
    save(path, state_dict={"model.x": torch.zeros(1).expand(10**6, 10**6)})
    with pytest.raises(ValueError, match=r"epoch_2.pth: .*a tensor of shape \(1000000, 1000000\) in 1 numbers"):
        read_checkpoint(path)
    save(path)
    rewritten(path, lambda data: data, zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match=r"epoch_2.pth: .*its parts are compressed"):
        read_checkpoint(path)
    save(path)
    rewritten(path, lambda data: data.replace(b"K\x0ft", b"J\x00\x00\x00\x10t"))  # 15 numbers, a quarter of a milliard
    with pytest.raises(ValueError, match=r"epoch_2.pth: .*data/0: 268,435,456 numbers in 60 bytes"):
        read_checkpoint(path)
    save(path)
    rewritten(path, lambda data: data[:-1] + b"r\xff\xff\xff\x7f.")  # a place of a memo that has 34 gigabytes
    with pytest.raises(ValueError, match=r"epoch_2.pth: .*its pickle has LONG_BINPUT 2147483647: refused"):
        read_checkpoint(path)


def test_other_files(path: Path) -> None:
    for data in (b"", b"PK", pickle.dumps(CONTENT["meta"]), path.read_bytes()[:-99]):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"epoch_2.pth: not a whole checkpoint of ours"):
            read_checkpoint(path)
    module, data = torch.nn.Linear(1, 1), io.BytesIO()
    torch.jit.save(torch.jit.trace(module, torch.ones(1, 1)), data)
    path.write_bytes(data.getvalue())
    with pytest.raises(ValueError, match=r"epoch_2.pth: not a whole checkpoint of ours"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"meta": {**META, "epoch": "2"}}, r"meta.epoch: int is wanted, got '2'"),
        ({"meta": {**META, "iter": -1}}, r"meta.iter: 0 or more is wanted, got -1"),
        ({"meta": {**META, "best": float("nan")}}, r"meta.best: float or null is wanted, got nan"),
        ({"meta": {**META, "record": "[" * 200_000}}, r"meta.record: not JSON \(.*recursion"),
        ({"meta": {**META, "record": "[]"}}, r"meta.record: an object in JSON is wanted"),
        ({"meta": {key: value for key, value in META.items() if key != "record"}}, r"meta.record: it is missing"),
        ({"state_dict": {"model.x": 3}}, r"state_dict: tensors by name are wanted, got 'model.x': 3"),
        ({"optimizer": {"state": []}}, r"optimizer: state and param_groups are wanted"),
        ({"param_schedulers": [3]}, r"param_schedulers: objects are wanted"),
    ],
)
def test_fields_of_a_wrong_type(path: Path, changes: dict[str, Any], message: str) -> None:
    save(path, **changes)
    with pytest.raises(ValueError, match=f"epoch_2.pth: .*{message}"):
        read_checkpoint(path)
