"""A run that diverges ends with an error, and what it had stays as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from same_end import checkpoint
from small_world import World

from lstta_core.adapter_files import read_adapter
from lstta_core.finite import NotFiniteError
from lstta_tasks.answers.one_of_many import OneOfMany
from lstta_tasks.answers.report import DivergedError
from lstta_tasks.experiment.config import load_config
from lstta_tasks.training.train import SeedHook, train


@pytest.fixture
def from_step(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have something done at each training step from one on."""
    before = SeedHook.before_train_iter

    def arrange(step: int, act: Any) -> None:
        def patched(self: SeedHook, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
            before(self, runner, batch_idx, data_batch)
            if runner.iter >= step:
                act(runner)

        monkeypatch.setattr(SeedHook, "before_train_iter", patched)

    return arrange


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_ends_it_before_it_is_logged(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, from_step: Any, bad: float
) -> None:
    loss = OneOfMany.loss

    def diverge(runner: Any) -> None:
        monkeypatch.setattr(OneOfMany, "loss", lambda *given: loss(*given) * 0 + bad)

    from_step(9, diverge)
    with pytest.raises(DivergedError, match=r"run: the loss of epoch 2, step 4 is NaN or infinite: .* learning rate"):
        train(load_config(world.config, {"log_interval": 1}), work_dir=tmp_path / "run")
    assert checkpoint(tmp_path / "run")["meta"]["epoch"] == 1
    log = (tmp_path / "run" / "train.log").read_text()
    assert "loss: nan" not in log
    assert "loss: inf" not in log


@pytest.mark.parametrize("what", ["weight", "moment"])
def test_what_would_stand_in_a_checkpoint(world: World, tmp_path: Path, from_step: Any, what: str) -> None:
    """Spoilt by the very last step of the second epoch, when no loss tells any more; the validation would not."""

    def spoil(runner: Any) -> None:
        optimizer = runner.optim_wrapper.optimizer
        parameter = optimizer.param_groups[0]["params"][0]
        if what == "moment":
            optimizer.state[parameter]["exp_avg_sq"].fill_(float("inf"))
        else:
            parameter.register_hook(lambda gradient: gradient * float("nan"))

    from_step(11, spoil)
    with pytest.raises(NotFiniteError):
        train(
            load_config(world.config, {"train_cfg.val_interval": 3, "optim_wrapper.clip_grad": None}),
            work_dir=tmp_path / "run",
        )
    saved = checkpoint(tmp_path / "run")
    assert saved["meta"]["epoch"] == 1
    assert [path.name for path in (tmp_path / "run").glob("*.pth")] == ["epoch_1.pth"]
    assert all(tensor.isfinite().all() for tensor in saved["state_dict"].values())


@pytest.mark.parametrize("where", ["loss", "prediction", "score"])
def test_a_validation_that_says_none_keeps_the_best(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    folder = tmp_path / "run"
    train(load_config(world.config, {"train_cfg.max_epochs": 1}), work_dir=folder)
    best = dict(read_adapter(folder / "best").tensors)
    if where == "loss":
        monkeypatch.setattr(OneOfMany, "losses", lambda self, o, t: (o[:, 0] * float("nan"), torch.ones(len(t))))
    elif where == "prediction":
        monkeypatch.setattr(
            OneOfMany,
            "predict",
            lambda self, o: [{"answer": "yes", "probability": 0.5, "margin": float("inf")}] * len(o),
        )
    else:
        monkeypatch.setattr("lstta_tasks.answers.class_report.accuracy", lambda truth, said: float("nan"))
    with pytest.raises(NotFiniteError, match={"loss": "mean loss of 15", "prediction": "sample"}.get(where, "score")):
        train(load_config(world.config), work_dir=folder, resume=True)
    after = read_adapter(folder / "best").tensors
    assert all(torch.equal(best[name], after[name]) for name in best)
    assert checkpoint(folder)["meta"]["epoch"] == 1
