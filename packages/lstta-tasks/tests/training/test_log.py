"""What stands in the log and in TensorBoard: each curve once, val/loss of that validation, times apart."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from children import KILLED, train_in_child
from same_end import checkpoint
from small_world import World
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lstta_core.adapter_files import read_adapter
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import restore
from lstta_tasks.training.checkpoint_hook import CheckpointHook
from lstta_tasks.training.train import train


def curves(folder: Path) -> dict[str, list[int]]:
    """The steps of each curve, as TensorBoard shows them."""
    found = EventAccumulator(str(folder / "tensorboard"), size_guidance={"scalars": 0, "images": 0})
    found.Reload()
    scalars = {tag: [point.step for point in found.Scalars(tag)] for tag in found.Tags()["scalars"]}
    return scalars | {tag: [image.step for image in found.Images(tag)] for tag in found.Tags()["images"]}


def written(folder: Path) -> dict[str, list[int]]:
    """The steps of each curve in all files, without what TensorBoard makes of restarts."""
    steps: dict[str, list[int]] = {}
    for file in sorted((folder / "tensorboard").glob("events*"), key=lambda path: path.stat().st_mtime_ns):
        found = EventAccumulator(str(file), size_guidance={"scalars": 0})
        found.Reload()
        for tag in found.Tags()["scalars"]:
            steps.setdefault(tag, []).extend(point.step for point in found.Scalars(tag))
    return {tag: sorted(values) for tag, values in steps.items()}


class TestCurves:
    @pytest.mark.parametrize("kill", ["in the second epoch", "between best and checkpoint"])
    def test_a_killed_run_draws_each_once(self, world: World, run: Path, tmp_path: Path, kill: str) -> None:
        folder = tmp_path / "run"
        options = {"log_interval": 1}
        assert train_in_child(world.config, folder, kill=kill, options=options) == KILLED
        assert list((folder / "tensorboard").glob("events*"))
        train(load_config(world.config, options), work_dir=folder, resume=True)
        for found in (curves(folder), written(folder)):
            assert found["loss"] == found["time"] == list(range(1, 19))
            assert found["val/loss"] == found["val/overall"] == found["val/time"] == [1, 2, 3]
        assert curves(folder)["val/explained/1"] == [1, 2, 3]

    def test_rates_speed_and_confusion_are_there(self, run: Path) -> None:
        found = curves(run)
        steps = [2, 4, 6, 8, 10, 12, 14, 16, 18]
        assert found["lr"] == found["clips_per_second"] == steps
        assert found["val/confusion"] == found["val/macro_f1"] == [1, 2, 3]
        scalars = EventAccumulator(str(run / "tensorboard"))
        scalars.Reload()
        speeds = zip(scalars.Scalars("clips_per_second"), scalars.Scalars("time"), strict=True)
        assert all(clips.value == pytest.approx(4 / time.value, rel=1e-5) for clips, time in speeds)

    def test_step_time_and_validation_time_are_apart(self, run: Path) -> None:
        found = curves(run)
        assert {"time", "data_time", "val/time", "val/data_time"} <= found.keys()
        assert found["val/time"] == [1, 2, 3]
        assert found["time"] == [2, 4, 6, 8, 10, 12, 14, 16, 18]


def test_the_loss_of_a_validation_is_its_mean_over_samples(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The validation has 15 samples in batches of 4; earlier validations count for nothing."""
    seen: list[float] = []
    keep = CheckpointHook.after_val_epoch

    def also_seen(self: CheckpointHook, runner: Any, metrics: Any = None) -> None:
        assert metrics is not None
        seen.append(metrics["val/loss"])
        keep(self, runner, metrics)

    monkeypatch.setattr(CheckpointHook, "after_val_epoch", also_seen)
    config = load_config(world.config, {"train_cfg.max_epochs": 2, "optim_wrapper.optimizer.lr": 0.2})
    train(config, work_dir=tmp_path / "run")
    file = next((tmp_path / "run" / "tensorboard").glob("events*"))
    found = EventAccumulator(str(file))
    found.Reload()
    assert [point.value for point in found.Scalars("val/loss")] == pytest.approx(seen, rel=1e-6)
    assert seen[0] != pytest.approx(seen[1], rel=0.01)

    best = read_adapter(tmp_path / "run" / "best").record["selected"]["epoch"]
    experiment = restore(config, tmp_path / "run" / "best")
    losses = []
    for batch in experiment.loader("val", experiment.dataset("val")):
        with torch.no_grad():
            output = experiment.model.eval()(batch["inputs"]).output
        losses += torch.nn.functional.cross_entropy(output, batch["target"], reduction="none").tolist()
    assert len(losses) == 15
    assert seen[best - 1] == pytest.approx(sum(losses) / 15, rel=1e-4)


def test_equal_scores_are_told_apart_by_the_loss(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accuracies 0.5, 0.5, 0.5 with losses 2, 1, 1: the second is the best, after a resume too."""
    losses = iter([2.0, 1.0, 1.0])
    keep = CheckpointHook.after_val_epoch

    def as_told(self: CheckpointHook, runner: Any, metrics: Any = None) -> None:
        report = self.metric.report
        assert report is not None
        scores = tuple(type(score)(score.name, 0.5, score.count) for score in report.scores)
        self.metric.report = type(report)(report.primary, scores)
        keep(self, runner, {**metrics, "val/loss": next(losses)})

    monkeypatch.setattr(CheckpointHook, "after_val_epoch", as_told)
    schedule = {"param_scheduler": None, "schedule": {"decay": "none"}}
    for epochs in (1, 3):
        config = load_config(world.config, {**schedule, "train_cfg.max_epochs": epochs})
        train(config, work_dir=tmp_path / "run", resume=epochs > 1)
    assert read_adapter(tmp_path / "run" / "best").record["selected"]["epoch"] == 2
    meta = checkpoint(tmp_path / "run")["meta"]
    assert (meta["best"], meta["best_loss"]) == (0.5, 1.0)


def test_no_frozen_weights_are_listed_as_missing(
    world: World, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(run, tmp_path / "run")
    train(load_config(world.config, {"train_cfg.max_epochs": 4}), work_dir=tmp_path / "run", resume=True)
    said = "".join(capsys.readouterr()) + (tmp_path / "run" / "train.log").read_text()
    assert "resumed epoch: 3" in said
    assert "missing keys in source state_dict" not in said
