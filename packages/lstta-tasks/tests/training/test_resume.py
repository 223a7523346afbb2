"""Going on with a run: a later end is applied, and other changes are refused by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from small_world import World

from lstta_tasks.experiment.config import load_config
from lstta_tasks.training.checkpoints import last_checkpoint
from lstta_tasks.training.train import train

SCHEDULE: dict[str, Any] = {"param_scheduler": None, "schedule": {"warmup_steps": 3}}


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The learning rate of each step from here on."""
    taken: list[float] = []
    monkeypatch.setattr(
        "lstta_tasks.training.train.ProgressHook.after_train_iter",
        lambda self, runner, batch_idx, data_batch=None, outputs=None: taken.append(
            runner.optim_wrapper.get_lr()["lr"][0]
        ),
    )
    return taken


def go(world: World, folder: Path, *, resume: bool = False, amp: bool = False, **options: Any) -> None:
    given = SCHEDULE | {key.replace("__", "."): value for key, value in options.items()}
    train(load_config(world.config, given), work_dir=folder, resume=resume, amp=amp)


def test_a_later_end_is_applied_and_recorded(world: World, tmp_path: Path, rates: list[float]) -> None:
    go(world, tmp_path / "long", train_cfg__max_epochs=4)
    whole = list(rates)
    rates.clear()
    go(world, tmp_path / "short", train_cfg__max_epochs=2)
    half = len(rates)
    go(world, tmp_path / "short", resume=True, train_cfg__max_epochs=4)
    assert len(rates) == len(whole)
    assert rates[half:] == pytest.approx(whole[half:], rel=1e-6)  # the new course, and not what was left of the old one
    assert rates[half - 1] < 0.1 * rates[half]
    meta = torch.load(last_checkpoint(tmp_path / "short"), weights_only=True)["meta"]
    assert json.loads(meta["settings"])["train_cfg.max_epochs"] == 4
    assert meta["epoch"] == 4


def test_the_same_end_resumes_to_the_bit(world: World, tmp_path: Path) -> None:
    go(world, tmp_path / "whole", train_cfg__max_epochs=3)
    (tmp_path / "cut").mkdir()

    class Stop(Exception):
        pass

    def stop(self: Any, runner: Any) -> None:
        if runner.epoch == 2:
            raise Stop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lstta_tasks.training.train.ProgressHook.before_train_epoch", stop)
        patch.setattr("lstta_tasks.training.train.ProgressHook.after_train_iter", lambda *_, **__: None)
        with pytest.raises(Stop):
            go(world, tmp_path / "cut", train_cfg__max_epochs=3)
    go(world, tmp_path / "cut", resume=True, train_cfg__max_epochs=3)
    one, other = (
        torch.load(last_checkpoint(tmp_path / name), weights_only=True)["state_dict"] for name in ("whole", "cut")
    )
    assert all(torch.equal(one[name], other[name]) for name in one | other)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, world: World) -> Path:
    folder = tmp_path_factory.mktemp("begun") / "run"
    go(world, folder, train_cfg__max_epochs=2)
    return folder


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"optim_wrapper__optimizer__lr": 0.03}, r"optim_wrapper.optimizer.lr was 0.02, is 0.03 now"),
        ({"optim_wrapper__clip_grad__max_norm": 2.0}, r"optim_wrapper.clip_grad.max_norm was 1.0, is 2.0 now"),
        ({"train_cfg__max_epochs": 1}, r"train_cfg.max_epochs was 2, is 1 now"),
        ({"train_cfg__val_interval": 2}, r"train_cfg.val_interval was 1, is 2 now"),
        ({"schedule": {"warmup_steps": 4}}, r"run: schedule.warmup_steps was 3, is 4 now\."),
        ({"loader__batch_size": 21}, r"steps an epoch was 6, is 1 now.*loader.batch_size was 4, is 21 now"),
        ({"seed": 3}, r"seed was 0, is 3 now"),
        ({"method__dropout": 0.2}, r"method.dropout was 0.1, is 0.2 now"),
    ],
)
def test_other_changes_are_refused(
    world: World, begun: Path, tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    shutil.copytree(begun, tmp_path / "run")
    before = sorted(path.name for path in (tmp_path / "run").rglob("*"))
    with pytest.raises(ValueError, match=said):
        go(world, tmp_path / "run", resume=True, **({"train_cfg__max_epochs": 2} | options))
    assert sorted(path.name for path in (tmp_path / "run").rglob("*")) == before


def test_how_steps_are_computed_may_change(world: World, begun: Path, tmp_path: Path) -> None:
    shutil.copytree(begun, tmp_path / "run")
    go(world, tmp_path / "run", resume=True, train_cfg__max_epochs=3, model__checkpointing=True)


def test_nothing_to_go_on_with_is_said(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    go(world, tmp_path / "misspelt", resume=True, train_cfg__max_epochs=1)
    assert "misspelt holds no run to go on with: a new one begins" in capsys.readouterr().err


def test_what_says_where_things_are_may_change(world: World, begun: Path, tmp_path: Path) -> None:
    shutil.copytree(begun, tmp_path / "run")
    go(world, tmp_path / "run", resume=True, train_cfg__max_epochs=2, log_interval=1, loader__workers=1)


def test_all_that_differs_is_named(world: World, begun: Path) -> None:
    changes = {
        "optim_wrapper__optimizer__lr": 0.03,
        "optim_wrapper__optimizer__weight_decay": 0.02,
        "optim_wrapper__clip_grad__max_norm": 2.0,
        "train_cfg__val_interval": 2,
        "method__dropout": 0.2,
        "model__readout__dropout": 0.3,
        "schedule": {"warmup_steps": 4, "decay": "linear"},
    }
    with pytest.raises(ValueError, match="is of another run") as raised:
        go(world, begun, resume=True, **({"train_cfg__max_epochs": 2} | changes))
    for key in [*(key for key in changes if key != "schedule"), "schedule.warmup_steps", "schedule.decay"]:
        assert f"{key.replace('__', '.')} was " in str(raised.value)
    assert "param_scheduler" not in str(raised.value)


def test_a_schedule_is_named_in_place_of_the_schedulers_that_it_stands_for(world: World, run: Path) -> None:
    with pytest.raises(ValueError, match=r"run: schedule.warmup_steps was None, is 3 now\. Resume"):
        train(load_config(world.config, SCHEDULE), work_dir=run, resume=True)


def test_a_schedule_said_in_other_words_is_the_same(world: World, begun: Path, tmp_path: Path) -> None:
    shutil.copytree(begun, tmp_path / "run")
    said = {"warmup_steps": 3, "decay": "cosine"}
    go(world, tmp_path / "run", resume=True, train_cfg__max_epochs=2, schedule=said)


def test_a_checkpoint_of_0_1_has_no_settings_and_resumes(world: World, begun: Path, tmp_path: Path) -> None:
    shutil.copytree(begun, tmp_path / "run")
    path = last_checkpoint(tmp_path / "run")
    checkpoint = torch.load(path, weights_only=True)
    for key in ("settings", "done", "validation_due", "steps", "best_loss"):
        del checkpoint["meta"][key]
    del checkpoint["gradients"]
    torch.save(checkpoint, path)
    go(world, tmp_path / "run", resume=True, train_cfg__max_epochs=3)
    assert torch.load(last_checkpoint(tmp_path / "run"), weights_only=True)["meta"]["epoch"] == 3
