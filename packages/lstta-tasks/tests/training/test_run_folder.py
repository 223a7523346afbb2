"""A run folder is one training's at a time; a finished one is left alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from filelock import FileLock, SoftFileLock
from small_world import World

from lstta_tasks import file_lock
from lstta_tasks.experiment.config import load_config
from lstta_tasks.file_lock import lock_beside
from lstta_tasks.training.run_folder import taken
from lstta_tasks.training.train import train

AT_WORK = "another training is at work in this folder. Wait until it has ended, or give another --work-dir"


class TestTaken:
    def test_a_second_training_is_refused_by_whatever_path(self, world: World, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(tmp_path / "run")
        for resume in (False, True):
            with lock_beside(tmp_path / "run") as alone:
                assert alone
                with pytest.raises(ValueError, match=f"^{tmp_path}/run: {AT_WORK}"):
                    train(load_config(world.config), work_dir=tmp_path / "link", resume=resume)
        assert not (tmp_path / "run").exists()

    def test_while_one_trains(self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Before its first checkpoint too, where nothing else tells that a run is there."""
        config, said = load_config(world.config, {"train_cfg.max_epochs": 1}), []

        def another(self: object, runner: object) -> None:
            with pytest.raises(ValueError, match=AT_WORK) as raised:
                train(config, work_dir=tmp_path / "run", resume=True)
            said.append(raised)

        with monkeypatch.context() as patch:
            patch.setattr("lstta_tasks.training.train.ProgressHook.before_train_epoch", another)
            patch.setattr("lstta_tasks.training.train.ProgressHook.after_train_iter", lambda *_, **__: None)
            train(config, work_dir=tmp_path / "run")
        assert len(said) == 1

    def test_a_folder_whose_parent_cannot_be_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """As a volume that is mounted at the root of a container."""
        (tmp_path / "run").mkdir()
        monkeypatch.setattr("os.access", lambda path, mode: Path(path) != tmp_path)
        with taken(tmp_path / "run"), pytest.raises(ValueError, match=AT_WORK), taken(tmp_path / "run"):
            pass
        assert [path.name for path in tmp_path.iterdir()] == ["run"]

    def test_without_locks_it_is_said(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        class NoLocks(FileLock):
            def _acquire(self) -> None:
                self.__class__ = SoftFileLock
                self._acquire()

        monkeypatch.setattr(file_lock, "FileLock", NoLocks)
        with taken(tmp_path / "run"):
            pass
        assert f"take care that no second training writes into {tmp_path / 'run'}" in capsys.readouterr().err


def test_a_finished_run_says_so_and_stays(
    world: World, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(run, tmp_path / "run")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")}
    assert train(load_config(world.config), work_dir=tmp_path / "run", resume=True) is None
    assert f"{tmp_path / 'run'}: finished, all 3 epochs" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")} == before
