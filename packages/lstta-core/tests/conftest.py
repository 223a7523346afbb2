"""Fixtures of core's tests."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def small() -> ModuleType:
    """The module small_encoders.py."""
    return _beside("small_encoders")


@pytest.fixture(scope="session")
def naive() -> ModuleType:
    """The module naive.py."""
    return _beside("naive")


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Statistics of tokens stand still from the start, so that two forward passes in training are alike."""
    monkeypatch.setattr("lstta_core.methods.projections.BATCHES", 0)


def _beside(name: str) -> ModuleType:
    """A module of this folder: test folders are no packages, so it cannot be imported by name."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
