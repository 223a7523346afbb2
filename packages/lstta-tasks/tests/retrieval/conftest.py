"""The small data set in MSR-VTT's files, and runs of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import small_msrvtt
from small_world import World


@pytest.fixture(scope="session")
def msrvtt(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The data set with its cache and config; not to be changed."""
    return small_msrvtt.make(tmp_path_factory.mktemp("msrvtt"))


@pytest.fixture(scope="session")
def dual(msrvtt: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run in dual mode; not to be changed."""
    from lstta_tasks.experiment.config import load_config
    from lstta_tasks.training.train import train

    folder = tmp_path_factory.mktemp("dual") / "run"
    train(load_config(msrvtt.config), work_dir=folder)
    return folder


@pytest.fixture(scope="session")
def joint(msrvtt: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run in joint mode; not to be changed."""
    from lstta_tasks.experiment.config import load_config
    from lstta_tasks.training.train import train

    folder = tmp_path_factory.mktemp("joint") / "run"
    train(load_config(msrvtt.config, {"task.joint": True}), work_dir=folder)
    return folder
