"""Two runs that end the same, bit for bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from lstta_core.adapter_files import read_adapter
from lstta_tasks.training.checkpoints import last_checkpoint


def checkpoint(folder: Path) -> dict[str, Any]:
    path = last_checkpoint(folder)
    assert path is not None
    return torch.load(path, weights_only=True)


def assert_same(a: Any, b: Any) -> None:
    """Two nested states are equal, bit for bit."""
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for left, right in zip(a, b, strict=True):
            assert_same(left, right)
    elif isinstance(a, torch.Tensor):
        assert torch.equal(a, b)
    else:
        assert a == b


def assert_same_end(there: Path, here: Path) -> None:
    """Two runs end with the same weights, optimizer, schedule and best adapter."""
    assert last_checkpoint(there).name == last_checkpoint(here).name  # type: ignore[union-attr]
    one, two = checkpoint(there), checkpoint(here)
    for run in (one, two):  # how many workers read is in the settings, and may differ
        run["meta"]["settings"] = json.loads(run["meta"]["settings"]) | {"loader.workers": None}
    for key in ("state_dict", "optimizer", "param_schedulers", "meta"):
        assert_same(one[key], two[key])
    best, other = read_adapter(there / "best"), read_adapter(here / "best")
    assert_same(dict(best.tensors), dict(other.tensors))
    # What was typed may differ too, as where the number of workers did.
    assert {**best.record, "command": None} == {**other.record, "command": None}
