"""SIGTERM and Ctrl-C: a checkpoint in the middle of an epoch or a validation, from which it ends the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from children import SUPPORT
from same_end import assert_same_end, checkpoint
from small_world import World

from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.runner import TaskMetric
from lstta_tasks.training.stopping import Stopped, Stopping
from lstta_tasks.training.train import SeedHook, train

Signals = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)


@pytest.fixture(autouse=True)
def ctrl_c_is_heard() -> Iterator[None]:
    """Also where the tests run in the background of a shell, which ignores it there; children inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.fixture
def at_step(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], None]], None]:
    """Have something done before a training step, counted from 0 over all epochs."""
    before = SeedHook.before_train_iter

    def arrange(step: int, act: Callable[[], None]) -> None:
        def patched(self: SeedHook, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
            before(self, runner, batch_idx, data_batch)
            if runner.iter == step:
                act()

        monkeypatch.setattr(SeedHook, "before_train_iter", patched)

    return arrange


class TestInAnEpoch:
    @Signals
    def test_it_ends_after_the_running_step_and_goes_on_to_the_same_end(
        self,
        world: World,
        run: Path,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        at_step: Callable[[int, Callable[[], None]], None],
        number: signal.Signals,
    ) -> None:
        at_step(8, lambda: send(number))
        before = signal.getsignal(number)
        with pytest.raises(Stopped) as ended:
            train(load_config(world.config), work_dir=tmp_path / "run")
        assert ended.value.code == 128 + number
        assert signal.getsignal(number) is before
        assert f"stopped by {number.name}: 9 of 18 steps are done; --resume goes on" in capsys.readouterr().err
        assert [path.name for path in (tmp_path / "run").glob("*.pth")] == ["epoch_1_step_3.pth"]
        at_step(-1, lambda: None)
        train(load_config(world.config), work_dir=tmp_path / "run", resume=True)
        assert_same_end(run, tmp_path / "run")

    def test_in_the_first_epoch_with_workers_and_again(
        self, world: World, run: Path, tmp_path: Path, at_step: Callable[[int, Callable[[], None]], None]
    ) -> None:
        """Workers that end with a signal to all processes of a job would take the training with them."""

        def to_all() -> None:
            workers = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "pid="], capture_output=True, text=True)
            for worker in workers.stdout.split():
                for number in (signal.SIGTERM, signal.SIGINT):
                    subprocess.run(["kill", f"-{int(number)}", worker], capture_output=True)
            time.sleep(0.5)
            send(signal.SIGTERM)

        config = load_config(world.config, {"loader.workers": 2})
        for step in (1, 3, 5):
            at_step(step, to_all)
            with pytest.raises(Stopped):
                train(config, work_dir=tmp_path / "run", resume=True)
            assert checkpoint(tmp_path / "run")["meta"]["iter"] == step + 1
        at_step(-1, lambda: None)
        train(config, work_dir=tmp_path / "run", resume=True)
        assert_same_end(run, tmp_path / "run")

    def test_gradients_that_wait_for_further_steps_are_kept(
        self, world: World, tmp_path: Path, at_step: Callable[[int, Callable[[], None]], None]
    ) -> None:
        config = load_config(world.config, {"optim_wrapper.accumulative_counts": 5})
        train(config, work_dir=tmp_path / "whole")
        at_step(7, lambda: send(signal.SIGTERM))
        with pytest.raises(Stopped):
            train(config, work_dir=tmp_path / "run")
        assert checkpoint(tmp_path / "run")["gradients"]
        at_step(-1, lambda: None)
        train(config, work_dir=tmp_path / "run", resume=True)
        assert_same_end(tmp_path / "whole", tmp_path / "run")

    def test_waiting_for_data_it_ends_at_once(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from lstta_tasks.data.batch import SampleDataset

        read = SampleDataset.__getitems__
        calls: list[None] = []

        def stalled(self: SampleDataset, indices: list[int]) -> Any:
            calls.append(None)
            if len(calls) == 3:
                send(signal.SIGTERM)
                time.sleep(60)
            return read(self, indices)

        monkeypatch.setattr(SampleDataset, "__getitems__", stalled)
        with pytest.raises(Stopped):
            train(load_config(world.config), work_dir=tmp_path / "run")
        assert checkpoint(tmp_path / "run")["meta"]["iter"] == 2
        assert len(calls) == 3


def test_in_a_validation_it_is_made_again(
    world: World, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = TaskMetric.process
    batches: list[None] = []

    def patched(self: TaskMetric, data_batch: Any, data_samples: Any) -> None:
        process(self, data_batch, data_samples)
        batches.append(None)
        if len(batches) == 6:
            send(signal.SIGTERM)

    monkeypatch.setattr(TaskMetric, "process", patched)
    with pytest.raises(Stopped):
        train(load_config(world.config), work_dir=tmp_path / "run")
    assert len(batches) == 6
    meta = checkpoint(tmp_path / "run")["meta"]
    assert (meta["epoch"], meta["done"], meta["validation_due"]) == (2, 0, True)
    train(load_config(world.config), work_dir=tmp_path / "run", resume=True)
    assert len(batches) == 6 + 2 * 4
    assert_same_end(run, tmp_path / "run")


def test_before_the_first_step_nothing_is_written(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Early(Stopping):
        def __enter__(self) -> Stopping:
            super().__enter__()
            send(signal.SIGTERM)
            return self

    monkeypatch.setattr("lstta_tasks.training.train.Stopping", Early)
    with pytest.raises(Stopped):
        train(load_config(world.config), work_dir=tmp_path / "run")
    assert not list((tmp_path / "run").glob("*.pth"))
    assert "stopped by SIGTERM: 0 of 18 steps are done" in capsys.readouterr().err


class TestStopping:
    def test_a_second_ctrl_c_does_not_wait(self) -> None:
        def twice() -> None:
            with Stopping():
                send(signal.SIGINT)
                send(signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            twice()

    def test_a_second_sigterm_does_as_slurm_sends_more_than_one(self) -> None:
        def twice() -> None:
            with Stopping() as stopping:
                send(signal.SIGTERM)
                send(signal.SIGTERM)
                stopping.check()

        with pytest.raises(Stopped):
            twice()

    def test_one_that_is_ignored_stays_so(self) -> None:
        """As of a job that a shell has started in the background."""
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            with Stopping() as stopping:
                send(signal.SIGINT)
                stopping.check()
        finally:
            signal.signal(signal.SIGINT, before)

    def test_one_that_comes_with_the_last_step_still_ends_the_process(self) -> None:
        with pytest.raises(Stopped), Stopping():
            send(signal.SIGTERM)


@pytest.mark.slow
class TestTheCommand:
    """As Slurm and people do it: a signal to the command, at any moment after the first checkpoint."""

    @pytest.mark.parametrize("draw", range(10))
    def test_sigterm(self, world: World, tmp_path: Path, draw: int, whole: Path) -> None:
        dice = random.Random(draw)
        folder = tmp_path / "run"
        process = start(world, folder, workers=draw % 3)
        wait_for(folder / "last_checkpoint", process)
        time.sleep(dice.uniform(0, 2.5))
        number = signal.SIGTERM if draw < 7 else signal.SIGINT
        os.killpg(process.pid, number)
        _, said = process.communicate()
        # A signal that comes when the training is over, and Python goes, ends the process as any other's.
        over = (folder / "last_checkpoint").read_text(encoding="utf-8").strip() == "epoch_3.pth"
        assert process.returncode in ((0, 128 + number, -number) if over else (128 + number,)), said
        assert "Traceback" not in said
        finish(world, folder, workers=(draw + 1) % 3)
        assert_same_end(whole, folder)

    @pytest.mark.parametrize("draw", range(10))
    def test_killed_after_the_first_checkpoint(self, world: World, tmp_path: Path, draw: int, whole: Path) -> None:
        dice = random.Random(100 + draw)
        folder = tmp_path / "run"
        process = start(world, folder, workers=draw % 3)
        wait_for(folder / "last_checkpoint", process)
        time.sleep(dice.uniform(0, 2.5))
        process.kill()
        process.communicate()
        finish(world, folder, workers=(draw + 1) % 3)
        assert_same_end(whole, folder)

    @pytest.fixture(scope="class")
    def whole(self, world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
        folder = tmp_path_factory.mktemp("whole") / "run"
        process = start(world, folder, workers=0)
        _, said = process.communicate()
        assert process.returncode == 0, said
        return folder


def start(world: World, folder: Path, *, workers: int, resume: bool = False) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(SUPPORT), "OMP_NUM_THREADS": str(torch.get_num_threads())}
    command = [sys.executable, "-m", "lstta_tasks", "train", str(world.config), "--work-dir", str(folder)]
    command += ["--resume"] * resume + ["--cfg-options", f"loader.workers={workers}"]
    return subprocess.Popen(command, env=environment, text=True, stderr=subprocess.PIPE, start_new_session=True)


def finish(world: World, folder: Path, *, workers: int) -> None:
    process = start(world, folder, workers=workers, resume=True)
    _, said = process.communicate()
    assert process.returncode == 0, said


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    while not path.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
