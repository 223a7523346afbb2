"""Two processes on a CPU, over gloo, give the metrics of one, and train."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from ranks import evaluate_and_train
from small_world import World

from lstta_core.adapter_files import read_adapter
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.distributed import join
from lstta_tasks.experiment.evaluate import evaluate

REPOSITORY = Path(__file__).parents[4]
SUPPORT = Path(__file__).parents[1] / "support"


def test_two_give_the_metrics_of_one_and_train_one_model(
    world: World, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 15 samples, which two does not divide."""
    monkeypatch.chdir(tmp_path)
    assert evaluate_and_train(world.config, run / "best", tmp_path) == [0, 0]

    two = json.loads((tmp_path / "val.json").read_text())
    one = json.loads(json.dumps(evaluate(load_config(world.config), run / "best", "val")[1]))
    assert two["scores"] == one["scores"]
    assert two["samples"] == one["samples"] == 15
    assert two["predictions"].keys() == one["predictions"].keys()
    assert [p["answer"] for p in two["predictions"].values()] == [p["answer"] for p in one["predictions"].values()]

    saved = torch.load(tmp_path / "run" / "epoch_2.pth", weights_only=True)
    assert saved["meta"]["iter"] == 2 * 3  # of 21 samples each gets 11, in batches of 4
    best = read_adapter(tmp_path / "run" / "best")
    assert saved["state_dict"].keys() == {f"model.{name}" for name in best.tensors}
    report, _ = evaluate(load_config(world.config), tmp_path / "run" / "best", "val")
    assert report.value("overall") == best.record["selected"]["overall"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".run.lock", "run", "val.json"]


def test_without_torchrun_the_launcher_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(ValueError, match=r"--launcher pytorch wants torchrun"):
        join("pytorch")
    join("none")


def torchrun(*arguments: object) -> None:
    environment = {**os.environ, "PYTHONPATH": str(SUPPORT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run([*command, *map(str, arguments)], check=True, env=environment, cwd=REPOSITORY)


@pytest.mark.slow
def test_torchrun_with_the_tools(world: World, run: Path, tmp_path: Path) -> None:
    test = REPOSITORY / "tools" / "test.py"
    arguments = ["--split", "val", "--launcher", "pytorch", "--json", tmp_path / "two.json"]
    torchrun(test, world.config, run / "best", *arguments)
    two = json.loads((tmp_path / "two.json").read_text())
    assert (
        two["scores"] == json.loads(json.dumps(evaluate(load_config(world.config), run / "best", "val")[1]))["scores"]
    )
    train = REPOSITORY / "tools" / "train.py"
    options = ["--cfg-options", "train_cfg.max_epochs=1", "loader.workers=1"]
    torchrun(train, world.config, "--work-dir", tmp_path / "run", "--launcher", "pytorch", *options)
    assert (tmp_path / "run" / "epoch_1.pth").is_file()
