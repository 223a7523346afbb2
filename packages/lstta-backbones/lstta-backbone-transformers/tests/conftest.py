"""Fixtures of this package's tests."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[4]


def _beside(name: str) -> ModuleType:
    """A module of this folder: test folders are no packages, so it cannot be imported by name."""
    spec = importlib.util.spec_from_file_location(f"lstta_transformers_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


_beside("small_configs")  # which the next one imports
SMALL = _beside("small_models")
SPEAKERS = _beside("small_speakers")


@pytest.fixture(scope="session")
def small() -> ModuleType:
    """The module small_models.py."""
    return SMALL


@pytest.fixture(scope="session")
def speakers() -> ModuleType:
    """The module small_speakers.py."""
    return SPEAKERS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``case`` runs a test once for every family."""
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", SMALL.CASES, ids=[case.name for case in SMALL.CASES], scope="module")


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of real pretrained encoders."""
    folder = Path(os.environ.get("LSTTA_SHARED", ROOT.parent / "shared")) / "models"
    if not folder.is_dir():
        pytest.skip(f"no real encoders: {folder} is not there; LSTTA_SHARED names the folder above it")
    return folder
