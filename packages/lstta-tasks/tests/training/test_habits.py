"""MMEngine's habits in a training: what each does, and that a run which was ended goes on to the same end."""

from __future__ import annotations

import copy
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from children import KILLED, train_in_child
from mmengine.runner import Runner
from same_end import assert_same, assert_same_end, checkpoint
from small_world import World

from lstta_core.adapter_files import read_adapter
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.runner import TaskMetric
from lstta_tasks.training.average import AverageHook
from lstta_tasks.training.stopping import Stopped
from lstta_tasks.training.train import SeedHook, train

AVERAGE = {"type": "EMAHook", "momentum": 0.25, "begin_iter": 3}
PATIENT = {"type": "EarlyStoppingHook", "monitor": "val/loss", "min_delta": 50.0, "patience": 2}
BY_STEPS = {"_delete_": True, "by_epoch": False, "max_iters": 14, "val_interval": 4}
PARTS = {"custom_keys": {"readout": {"lr_mult": 0.5}, "head": {"lr_mult": 2.0}}, "norm_decay_mult": 0.0}
HABITS: dict[str, dict[str, Any]] = {
    "accumulation": {"optim_wrapper.accumulative_counts": 4},
    "paramwise_cfg": {"optim_wrapper.paramwise_cfg": PARTS},
    "max_iters": {"train_cfg": BY_STEPS, "param_scheduler": None, "schedule": {"warmup_steps": 3}},
    "a hook of one's own": {"custom_hooks": [{"type": "some_hooks.Noise", "priority": "HIGH"}]},
    "early stopping": {"custom_hooks": [PATIENT], "train_cfg.max_epochs": 4},
    "an average": {"custom_hooks": [AVERAGE]},
    "local files": {"vis_backends": [{"type": "LocalVisBackend"}, {"type": "TensorboardVisBackend"}]},
    "the logger": {"default_hooks": {"logger": {"ignore_last": False}, "timer": {"type": "IterTimerHook"}}},
}
ALL = {**HABITS["accumulation"], **HABITS["paramwise_cfg"], **HABITS["max_iters"], **HABITS["local files"]}
ALL["custom_hooks"] = [AVERAGE, {**PATIENT, "patience": 5}, {"type": "some_hooks.Noise"}]


def go(world: World, folder: Path, options: dict[str, Any], **more: Any) -> Any:
    return train(load_config(world.config, copy.deepcopy(options)), work_dir=folder, **more)


def assert_same_end_and_habits(there: Path, here: Path) -> None:
    assert_same_end(there, here)
    one, two = checkpoint(there), checkpoint(here)
    assert one.keys() == two.keys()
    for key in ("gradients", "average", "early_stop", "noise"):
        assert_same(one.get(key), two.get(key))


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have the next training asked to end, at a step or at a batch of its validations, counted from 0."""
    step_before, batch_before = SeedHook.before_train_iter, TaskMetric.process

    def arrange(*, step: int = -1, batch: int = -1) -> None:
        batches: list[None] = []

        def at_step(self: SeedHook, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
            step_before(self, runner, batch_idx, data_batch)
            if runner.iter == step:
                os.kill(os.getpid(), signal.SIGTERM)

        def at_batch(self: TaskMetric, data_batch: Any, data_samples: Any) -> None:
            batch_before(self, data_batch, data_samples)
            batches.append(None)
            if len(batches) == batch + 1:
                os.kill(os.getpid(), signal.SIGTERM)

        monkeypatch.setattr(SeedHook, "before_train_iter", at_step)
        monkeypatch.setattr(TaskMetric, "process", at_batch)

    return arrange


def test_all_of_them_ended_again_and_again_come_to_the_same_end(
    world: World, tmp_path: Path, ends: Callable[..., None]
) -> None:
    go(world, tmp_path / "whole", ALL)
    for place in ({"step": 2}, {"batch": 1}, {"step": 6}, {"step": 7}, {"batch": 1}):
        ends(**place)
        with pytest.raises(Stopped):
            go(world, tmp_path / "run", ALL, resume=True)
    assert checkpoint(tmp_path / "run")["meta"]["iter"] == 8
    assert checkpoint(tmp_path / "run")["meta"]["validation_due"]
    ends()
    go(world, tmp_path / "run", ALL, resume=True)
    assert_same_end_and_habits(tmp_path / "whole", tmp_path / "run")
    for folder in (tmp_path / "whole", tmp_path / "run"):
        lines = [json.loads(line) for line in (folder / "vis_data" / "scalars.json").read_text().splitlines()]
        assert [line["step"] for line in lines if "val/loss" in line] == [4, 8, 12, 14]
        steps = [line["step"] for line in lines if "loss" in line]
        assert steps == sorted(set(steps))
        pictures = sorted(path.name for path in (folder / "vis_data" / "vis_image" / "val" / "explained").iterdir())
        assert pictures[:4] == ["0_12.png", "0_14.png", "0_4.png", "0_8.png"]


class TestBySteps:
    def test_it_ends_within_an_epoch_and_goes_on_there(self, world: World, tmp_path: Path) -> None:
        options = HABITS["max_iters"] | {"schedule": None, "param_scheduler": []}
        longer = options | {"train_cfg": {**BY_STEPS, "max_iters": 20}}
        go(world, tmp_path / "long", longer)
        go(world, tmp_path / "short", options | {"train_cfg": {**BY_STEPS, "max_iters": 8}})
        assert [path.name for path in (tmp_path / "short").glob("*.pth")] == ["epoch_1_step_2.pth"]
        selected = read_adapter(tmp_path / "short" / "best").record["selected"]
        assert (selected["epoch"], selected["step"]) in ((0, 4), (1, 8))
        go(world, tmp_path / "short", longer, resume=True)
        assert_same_end(tmp_path / "long", tmp_path / "short")

    def test_what_is_done_is_said(self, world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        options = HABITS["max_iters"] | {"train_cfg": {**BY_STEPS, "max_iters": 3}}
        go(world, tmp_path / "run", options)
        assert "step 3/3: train loss" in capsys.readouterr().out
        go(world, tmp_path / "run", options, resume=True)
        assert "finished, all 3 steps; a higher train_cfg.max_iters goes on" in capsys.readouterr().out
        with pytest.raises(
            ValueError, match=r"train_cfg.max_iters was 3, is 2 now.*3 steps, training ends after 2 now"
        ):
            go(world, tmp_path / "run", options | {"train_cfg": {**BY_STEPS, "max_iters": 2}}, resume=True)


class TestAverage:
    def test_it_is_of_what_trains_alone_and_best_holds_it(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Compared with an average made in float64 of the weights after each step."""
        seen: list[dict[str, torch.Tensor]] = []
        after = AverageHook.after_train_iter

        def look(
            self: AverageHook, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
        ) -> None:
            after(self, runner, batch_idx, data_batch, outputs)
            trained = {n: p for n, p in runner.model.model.named_parameters() if p.requires_grad}
            seen.append({name: p.detach().double().clone() for name, p in trained.items()})

        monkeypatch.setattr(AverageHook, "after_train_iter", look)
        go(world, tmp_path / "run", {"custom_hooks": [AVERAGE], "train_cfg.max_epochs": 1})
        average = seen[2]
        for weights in seen[3:]:
            average = {name: 0.75 * average[name] + 0.25 * weights[name] for name in average}
        saved = checkpoint(tmp_path / "run")
        assert saved["average"]["tensors"].keys() == average.keys()
        best = read_adapter(tmp_path / "run" / "best").tensors
        for name, value in average.items():
            torch.testing.assert_close(saved["average"]["tensors"][name].double(), value, rtol=1e-5, atol=1e-6)
            assert torch.equal(best[name], saved["average"]["tensors"][name])
            assert torch.equal(saved["state_dict"][f"model.{name}"].double(), seen[-1][name])
        assert any(not torch.equal(best[name].double(), seen[-1][name]) for name in average)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (
                lambda saved: saved.pop("average"),
                r"epoch_1.pth: average: the average that custom_hooks asks for is not",
            ),
            (lambda saved: saved["average"]["tensors"].popitem(), r"average: it is not of the parameters that train"),
            (
                lambda saved: saved["average"]["tensors"].update({"head.bias": torch.zeros(7, 7)}),
                r"average.head.bias: torch.float32 of shape \(\d+,\) is wanted",
            ),
            (lambda saved: saved["average"].update(steps="two"), r"average: the average that custom_hooks asks for"),
        ],
    )
    def test_a_checkpoint_without_it_is_refused(
        self, world: World, averaged: Path, change: Callable[[Any], Any], said: str
    ) -> None:
        path = averaged / "epoch_1.pth"
        before = path.read_bytes()
        saved = torch.load(path, weights_only=True)
        change(saved)
        torch.save(saved, path)
        try:
            with pytest.raises(ValueError, match=said):
                go(world, averaged, {"custom_hooks": [AVERAGE], "train_cfg.max_epochs": 2}, resume=True)
        finally:
            path.write_bytes(before)

    def test_a_run_begun_without_it_does_not_take_it_up(self, world: World, run: Path) -> None:
        with pytest.raises(ValueError, match=r"custom_hooks.0.type was None, is 'lstta_tasks.training.average"):
            go(world, run, {"custom_hooks": [AVERAGE]}, resume=True)

    @pytest.fixture(scope="class")
    def averaged(self, world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
        folder = tmp_path_factory.mktemp("averaged") / "run"
        go(world, folder, {"custom_hooks": [AVERAGE], "train_cfg.max_epochs": 1})
        return folder


class TestEarlyStop:
    def test_it_ends_training_and_says_so(
        self, world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        options = {"custom_hooks": [{**PATIENT, "patience": 1}], "train_cfg.max_epochs": 5}
        go(world, tmp_path / "run", options)
        assert checkpoint(tmp_path / "run")["meta"]["epoch"] == 2
        assert "stopped early: val/loss: 1 validations in a row" in (tmp_path / "run" / "train.log").read_text()
        before = (tmp_path / "run" / "epoch_2.pth").read_bytes()
        go(world, tmp_path / "run", options | {"train_cfg.max_epochs": 7}, resume=True)
        assert "finished, stopped early after 2 of 7 epochs" in capsys.readouterr().out
        assert (tmp_path / "run" / "epoch_2.pth").read_bytes() == before

    def test_a_threshold_of_the_score_that_best_goes_by(self, world: World, tmp_path: Path) -> None:
        hook = {"type": "EarlyStoppingHook", "stopping_threshold": 0.0}
        go(world, tmp_path / "run", {"custom_hooks": [hook]})
        assert checkpoint(tmp_path / "run")["meta"]["epoch"] == 1
        assert checkpoint(tmp_path / "run")["early_stop"]["stopped"] is True

    def test_a_score_that_is_not_there_is_refused_before_the_first_step(self, world: World, tmp_path: Path) -> None:
        hook = {"type": "EarlyStoppingHook", "monitor": "val/overal"}
        with pytest.raises(ValueError, match=r"monitor: no score is 'val/overal'; did you mean 'val/overall'\?"):
            go(world, tmp_path / "run", {"custom_hooks": [hook]})
        assert not list((tmp_path / "run").glob("*.pth"))


class TestHooksOfOthers:
    @pytest.mark.parametrize(
        ("key", "said"),
        [
            ("state_dict", r"custom_hooks: Meddler changes the weights in checkpoints"),
            ("optimizer", r"custom_hooks: Meddler changes optimizer in checkpoints"),
            ("more", r"custom_hooks: Meddler adds more to checkpoints, a object: only numbers"),
        ],
    )
    def test_what_would_break_checkpoints_is_refused(self, world: World, tmp_path: Path, key: str, said: str) -> None:
        options = {"custom_hooks": [{"type": "some_hooks.Meddler", "key": key}], "train_cfg.max_epochs": 1}
        with pytest.raises(ValueError, match=said):
            go(world, tmp_path / "run", options)
        assert not list((tmp_path / "run").glob("*.pth"))


def test_a_backend_that_is_not_installed_is_said_before_anything(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lstta_tasks.training.habits.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"vis_backends.0: MLflowVisBackend needs mlflow: pip install mlflow"):
        go(world, tmp_path / "run", {"vis_backends": [{"type": "MLflowVisBackend"}]})


@pytest.mark.slow
class TestKilled:
    @pytest.mark.parametrize("kill", ["in the second epoch", "in a validation"])
    @pytest.mark.parametrize("habit", [*HABITS, "all"])
    def test_each_goes_on_to_the_same_end(
        self, world: World, tmp_path: Path, whole: Callable[[str], Path], habit: str, kill: str
    ) -> None:
        options = HABITS.get(habit, ALL)
        assert train_in_child(world.config, tmp_path / "run", options=options, kill=kill) == KILLED
        assert train_in_child(world.config, tmp_path / "run", options=options, resume=True) == 0
        assert_same_end_and_habits(whole(habit), tmp_path / "run")


@pytest.fixture(scope="module")
def whole(world: World, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a habit's run that was not killed."""
    folder = tmp_path_factory.mktemp("whole")

    def made(habit: str) -> Path:
        if not (folder / habit).exists():
            assert train_in_child(world.config, folder / habit, options=HABITS.get(habit, ALL)) == 0
        return folder / habit

    return made


@pytest.mark.slow
def test_weights_and_biases_offline(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.chdir(tmp_path)  # it keeps the code of the folder that it is called in
    backend = {"type": "WandbVisBackend", "init_kwargs": {"mode": "offline", "project": "lstta"}}
    options = {"vis_backends": [backend], "train_cfg.max_epochs": 1}
    assert train_in_child(world.config, tmp_path / "run", options=options) == 0
    (log,) = (tmp_path / "run" / "vis_data" / "wandb").glob("offline-run-*/run-*.wandb")
    content = log.read_bytes()
    for name in (b"val/overall", b"gradient/head", b"WandbVisBackend", b"val/explained/0"):
        assert name in content, name


@pytest.mark.slow
def test_mlflow_in_a_local_file(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run, and one that goes on from it, which is a further one of MLflow's and holds nothing of the first."""
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(tmp_path)
    options = {"vis_backends": [{"type": "MLflowVisBackend", "exp_name": "lstta", "run_name": "first"}]}
    for epochs in (1, 2):
        more = {**options, "train_cfg.max_epochs": epochs}
        assert train_in_child(world.config, tmp_path / "run", options=more, resume=epochs > 1) == 0
    assert not [path for path in tmp_path.iterdir() if "ml" in path.name]  # beside the run folder
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path}/run/vis_data/mlflow.db")
    found = client.search_runs([client.get_experiment_by_name("lstta").experiment_id], order_by=["start_time"])
    assert [run.info.status for run in found] == ["FINISHED", "FINISHED"]
    for run, epoch in zip(found, (1, 2), strict=True):
        assert [one.step for one in client.get_metric_history(run.info.run_id, "val/overall")] == [epoch]
        assert {"loss", "gradient/head", "val/loss"} <= run.data.metrics.keys()
        assert run.data.params["method.name"] == "lstta"
        folder = tmp_path / "run" / "vis_data" / "artifacts" / run.info.run_id / "artifacts"
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}
        assert {"config.py", "train.log", "best/adapter.json", f"val/explained/0_{epoch}.png"} <= files
        assert not any("vis_data" in name for name in files)


def test_a_profile(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a step: a table, and a trace for chrome://tracing. The run goes on from its checkpoint."""
    trace = tmp_path / "trace.json"
    table = {"type": "log_trace", "sort_by": "self_cpu_time_total", "row_limit": 5}
    hook = {"type": "ProfilerHook", "by_epoch": False, "profile_times": 1, "on_trace_ready": table}
    options = {"custom_hooks": [{**hook, "json_trace_path": str(trace)}], "train_cfg.max_epochs": 1}
    go(world, tmp_path / "run", options)
    assert "Self CPU time total" in capsys.readouterr().out
    names = [event["name"] for event in json.loads(trace.read_text())["traceEvents"]]
    assert names.count("Optimizer.step#AdamW.step") == 1
    go(world, tmp_path / "run", {**options, "train_cfg.max_epochs": 2}, resume=True)
    assert checkpoint(tmp_path / "run")["meta"]["epoch"] == 2
