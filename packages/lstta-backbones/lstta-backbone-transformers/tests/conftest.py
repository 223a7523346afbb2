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
PERCEPTION = _beside("small_perception")
CASES = (*SMALL.CASES, *_beside("small_pictures").PICTURE_CASES, *PERCEPTION.PERCEPTION_CASES)
ALIKE = {
    "vit-resized",
    "videomae-filled",
    "hubert-group",
    "hubert-layer",
    "wavlm-layer",
    "xlm-roberta",
    "clip-text-old",
    "vit-hears",
    "clip-hears",
}
"""Cases whose architecture another one has: these pass the whole suite of checks in the slow tests."""
SPEAKERS = _beside("small_speakers")


@pytest.fixture(scope="session")
def small() -> ModuleType:
    """The module small_models.py."""
    return SMALL


@pytest.fixture(scope="session")
def perception() -> ModuleType:
    """The module small_perception.py."""
    return PERCEPTION


@pytest.fixture(scope="session")
def speakers() -> ModuleType:
    """The module small_speakers.py."""
    return SPEAKERS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``case`` runs a test once for every family."""
    if "case" in metafunc.fixturenames:
        slow = ALIKE if metafunc.function.__name__ == "test_the_family_conforms" else {}
        cases = [pytest.param(c, id=c.name, marks=[pytest.mark.slow] * (c.name in slow)) for c in CASES]
        metafunc.parametrize("case", cases, scope="module")


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of real pretrained encoders."""
    folder = Path(os.environ.get("LSTTA_SHARED", ROOT.parent / "shared")) / "models"
    if not folder.is_dir():
        pytest.skip(f"no real encoders: {folder} is not there; LSTTA_SHARED names the folder above it")
    return folder
