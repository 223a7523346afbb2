"""Fixtures that several folders of tests share; each is made once in a whole run of pytest."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import pytest

SUPPORT = Path(__file__).parent
if str(SUPPORT) not in sys.path:
    sys.path.insert(0, str(SUPPORT))  # configs of tests import seeded_encoders

import small_world  # noqa: E402
from children import skip_pictures, true_pictures  # noqa: E402


@cache
def make_world(folder: Path) -> small_world.World:
    """The small data set with its cache and config."""
    return small_world.make(folder / "small-world")


@cache
def make_run(folder: Path) -> Path:
    """A run folder: the small config, trained in this process, with true pictures."""
    from lstta_tasks.experiment.config import load_config
    from lstta_tasks.training.train import train

    with true_pictures():
        train(load_config(make_world(folder).config), work_dir=folder / "small-run")
    return folder / "small-run"


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> small_world.World:
    """A small data set with its cache and config; not to be changed."""
    return make_world(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of it; not to be changed."""
    return make_run(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session", autouse=True)
def few_pictures() -> None:
    """Trainings in this process draw nothing to speak of, but for that of :func:`run`."""
    skip_pictures()
