"""Loaders whose workers stall, die or raise: a clear error in place of waiting for ever."""

from __future__ import annotations

import multiprocessing
import os
import signal
from typing import Any

import pytest
from small_world import World
from torch.utils.data import Dataset

from lstta_tasks.cli.options import user_errors
from lstta_tasks.data.cache import CacheError
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.patience import PatientLoader


class Failing(Dataset[int]):
    """A data set of three, the last of which something happens to."""

    def __init__(self, how: str) -> None:
        self.how = how

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> int:
        if index == 2 and self.how == "stalls":
            os.kill(os.getpid(), signal.SIGSTOP)
        if index == 2 and self.how == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if index == 2 and self.how == "raises":
            raise CacheError("clip 'x' is damaged: no.\nCopy it: again")
        return index


def said(how: str, capsys: pytest.CaptureFixture[str], patience: float = 60, **options: Any) -> str:
    loader = PatientLoader(Failing(how), batch_size=1, num_workers=1, **options)
    loader.patience = patience
    with pytest.raises(SystemExit), user_errors():
        list(loader)
    return capsys.readouterr().err


@pytest.mark.parametrize("persistent", [False, True])
def test_a_worker_that_stalls(persistent: bool, capsys: pytest.CaptureFixture[str]) -> None:
    before = set(multiprocessing.active_children())
    error = said("stalls", capsys, patience=2, persistent_workers=persistent)
    assert error.startswith("error: no batch came from the loader's workers within 2 s.")
    assert "loader.timeout" in error
    assert not any(child.is_alive() for child in set(multiprocessing.active_children()) - before)


def test_a_worker_that_is_killed(capsys: pytest.CaptureFixture[str]) -> None:
    error = said("dies", capsys)
    assert error.startswith("error: a worker that loads batches has ended (")
    assert "Traceback" not in error


def test_an_error_of_a_worker_is_said_without_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert said("raises", capsys) == "error: clip 'x' is damaged: no.\nCopy it: again\n"


def test_loaders_of_a_config_are_patient(world: World) -> None:
    for options, wanted in (
        ({"loader.workers": 1}, 300),
        ({"loader.workers": 1, "loader.timeout": 7}, 7),
        ({"loader.workers": 0}, 300),
    ):
        experiment = Experiment(load_config(world.config, options))
        loader = experiment.loader("val", experiment.dataset("val"))
        assert loader.patience == wanted
        assert sum(len(batch["ids"]) for batch in loader) == 15


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_workers_end_with_their_loader_however_they_were_started(method: str) -> None:
    """With a server of forks, the loader's process is not its workers' parent; they must hear it all the same."""
    before = set(multiprocessing.active_children())
    loader = PatientLoader(Failing("no"), batch_size=1, num_workers=2, multiprocessing_context=method)
    assert sum(len(batch) for batch in loader) == 3
    batches = iter(loader)
    next(batches)
    workers = set(multiprocessing.active_children()) - before
    assert len(workers) == 2
    for worker in workers:
        worker.terminate()
        worker.join(60)
        assert not worker.is_alive()
