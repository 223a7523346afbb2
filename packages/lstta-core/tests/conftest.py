"""Fixtures of core's tests."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def small() -> ModuleType:
    """The module small_encoders.py: test folders are no packages, so it cannot be imported by name."""
    spec = importlib.util.spec_from_file_location("small_encoders", Path(__file__).with_name("small_encoders.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
