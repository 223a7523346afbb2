"""Training watches its adapters: what is dead, what jumps, and how much is added."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from small_world import World
from torch import nn

from lstta_core.interfaces import Modality, Stage
from lstta_core.methods.bottleneck import Bottleneck
from lstta_core.methods.prompt import Prompt
from lstta_core.testing import synthetic_streams
from lstta_tasks.experiment.config import load_config
from lstta_tasks.training.train import train
from lstta_tasks.training.watch import BATCHES, LOSSES, WatchHook, part_of

WIDTHS = {Modality.VISUAL: 13, Modality.LANGUAGE: 11}


class Trained:
    """A model with one adapter, a hook on it, and what it told."""

    def __init__(self, folder: Path, *, interval: int = 10) -> None:
        torch.manual_seed(0)
        adapter = Bottleneck(width=5).adapter(Stage(index=1, count=1, widths=WIDTHS)).train()
        nn.init.normal_(adapter.up[Modality.VISUAL].weight)  # type: ignore[index, union-attr, arg-type]
        self.model = nn.ModuleDict({"adapters": adapter})
        self.told: dict[str, list[float]] = {}
        hub = SimpleNamespace(update_scalar=lambda name, value: self.told.setdefault(name, []).append(value))
        self.runner: Any = SimpleNamespace(work_dir=str(folder), iter=0, message_hub=hub)
        self.hook = WatchHook(model=self.model, interval=interval)
        self.hook.before_train(self.runner)

    def step(self, loss: float = 1.0) -> None:
        streams = synthetic_streams(WIDTHS, tokens={Modality.VISUAL: 3, Modality.LANGUAGE: 5}, seed=self.runner.iter)
        self.hook.before_train_iter(self.runner, self.runner.iter)
        out = self.model["adapters"](streams)
        (sum(stream.tokens.square().mean() for stream in out.streams.values()) * 1.0).backward()
        self.model.zero_grad()
        self.hook.after_train_iter(self.runner, self.runner.iter, outputs={"loss": torch.tensor(loss)})
        self.runner.iter += 1


def test_units_that_give_nothing_for_a_hundred_batches_are_dead(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = Trained(tmp_path)
    down = trained.model["adapters"].down[Modality.VISUAL]  # type: ignore[index, union-attr]
    with torch.no_grad():
        down.bias[:3] = -60.0
    for step in range(BATCHES):
        with torch.no_grad():  # one batch is enough for a unit to be alive
            down.bias[3] = 9.0 if step == 7 else -60.0
        trained.step()
    assert trained.told["train/dead/adapters.units.visual"] == [pytest.approx(3 / 5)]
    assert trained.told["train/dead/adapters.units.language"] == [0.0]
    assert "60% of the units of adapters.units.visual gave nothing for 100 batches" in capsys.readouterr().out
    trained.hook.after_train_epoch(trained.runner)
    summary = json.loads((tmp_path / "watched.json").read_text())
    assert summary["dead"] == {"adapters.units.visual": pytest.approx(0.6), "adapters.units.language": 0.0}


def test_what_is_added_is_told_against_the_tokens(tmp_path: Path) -> None:
    trained = Trained(tmp_path, interval=1)
    trained.step()
    streams = synthetic_streams(WIDTHS, tokens={Modality.VISUAL: 3, Modality.LANGUAGE: 5}, seed=0)
    after = trained.model["adapters"](streams).streams
    for modality, stream in streams.items():
        x, y = stream.tokens[stream.mask], after[modality].tokens[stream.mask]
        wanted = ((y - x).norm(dim=1) / x.norm(dim=1)).mean().item()
        assert trained.told[f"train/added/adapters.{modality}"] == [pytest.approx(wanted, rel=1e-5)]
    assert trained.told["train/added/adapters.visual"][0] > 0.01
    assert trained.told["train/added/adapters.language"][0] == 0


def test_of_prompts_nothing_is_told(tmp_path: Path) -> None:
    """They stand in front of tokens, which stay as they are."""
    trained = Trained(tmp_path, interval=1)
    adapter = Prompt(tokens=3).adapter(Stage(index=1, count=2, widths=WIDTHS, first=True))
    assert adapter is not None
    hook = WatchHook(model=nn.ModuleDict({"adapters": adapter.train()}), interval=1)
    hook.before_train(trained.runner)
    hook.before_train_iter(trained.runner, 0)
    adapter(synthetic_streams(WIDTHS, tokens={Modality.VISUAL: 3, Modality.LANGUAGE: 5}, seed=0))
    assert hook.added == {}


def test_gradients_by_part_are_those_of_the_step(tmp_path: Path) -> None:
    trained = Trained(tmp_path, interval=1)
    trained.step()
    streams = synthetic_streams(WIDTHS, tokens={Modality.VISUAL: 3, Modality.LANGUAGE: 5}, seed=0)
    out = trained.model["adapters"](streams)
    loss = sum((stream.tokens.square().mean() for stream in out.streams.values()), torch.zeros(()))
    names = [name for name, _ in trained.model.named_parameters()]
    gradients = dict(zip(names, torch.autograd.grad(loss, list(trained.model.parameters())), strict=True))
    for part in {part_of(name) for name in names}:
        wanted = sum(float(g.square().sum()) for name, g in gradients.items() if part_of(name) == part) ** 0.5
        assert trained.told[f"train/gradient/{part}"] == [pytest.approx(wanted, rel=1e-4)]


def test_a_jump_is_told_once_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained = Trained(tmp_path)
    for mean in (2.0, 1.0, 1.19, 1.21, 0.5, 0.9):
        for _ in range(LOSSES):
            trained.step(mean)
    assert trained.hook.summary["jumps"] == 2
    assert capsys.readouterr().out.count("the mean loss of 50 steps is") == 1


def test_training_writes_what_it_watched(world: World, tmp_path: Path) -> None:
    config = load_config(world.config, {"train_cfg.max_epochs": 1, "log_interval": 2})
    train(config, work_dir=tmp_path / "run")
    summary = json.loads((tmp_path / "run" / "watched.json").read_text())
    assert {name.rpartition(".")[2] for name in summary["added"]} == {"visual", "audio", "language"}
    assert "added/trimodal.adapters.default.2.visual: " in (tmp_path / "run" / "train.log").read_text()
