"""Adapters that earlier versions saved load, and give what they gave then."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import load_file

from lstta_core.adapter_files import read_adapter

HERE = Path(__file__).parent
FOLDERS = sorted(path for path in HERE.iterdir() if (path / "adapter.json").is_file())


@pytest.fixture(scope="module")
def saved() -> ModuleType:
    spec = importlib.util.spec_from_file_location("regression_save", HERE / "save.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_is_one_of_every_kind(saved: ModuleType) -> None:
    assert {path.name.partition("-")[2] for path in FOLDERS} == set(saved.METHODS)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_it_loads_and_gives_what_it_gave(folder: Path, saved: ModuleType) -> None:
    file = read_adapter(folder)
    options = {key: value for key, value in file.record["method"].items() if key != "name"}
    adapter = saved.build(file.record["method"]["name"], options)
    adapter.load_state_dict(dict(file.tensors))
    expected, given = load_file(folder / "output.safetensors"), saved.output(adapter)
    assert given.keys() == expected.keys()
    for name, values in expected.items():
        torch.testing.assert_close(
            given[name], values, rtol=1e-4, atol=1e-5, msg=lambda text, name=name: f"{name}: {text}"
        )
