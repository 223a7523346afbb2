"""Two processes on a CPU, over gloo, give the metrics of one, and train."""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from children import skip_pictures
from small_world import World

from lstta_core.adapter_files import read_adapter
from lstta_tasks.engine.config import load_config
from lstta_tasks.engine.distributed import join
from lstta_tasks.engine.evaluate import evaluate
from lstta_tasks.engine.train import train

REPOSITORY = Path(__file__).parents[4]
SUPPORT = Path(__file__).parents[1] / "support"


def in_two_processes(function: Any, *arguments: Any) -> None:
    """Call it in two forked processes that know of each other as torchrun's do."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_as_rank, args=(rank, port, function, *arguments)) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]


def _as_rank(rank: int, port: int, function: Any, *arguments: Any) -> None:
    torch.set_num_threads(1)
    skip_pictures()
    where = {"MASTER_ADDR": "localhost", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    os.environ.update(where, RANK=str(rank), LOCAL_RANK=str(rank))
    function(rank, *arguments)


def _evaluate(rank: int, config: Path, adapter: Path, out: Path) -> None:
    report, details = evaluate(load_config(config), adapter, "val", launcher="pytorch")
    if rank == 0:
        out.write_text(json.dumps(details))
    else:
        assert report.scores == ()


def _train(rank: int, config: Path, out: Path) -> None:
    report = train(load_config(config, {"train_cfg.max_epochs": 2}), work_dir=out, launcher="pytorch")
    assert (report is None) == (rank == 1)


def test_two_give_the_metrics_of_one(world: World, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 15 samples, which two does not divide."""
    monkeypatch.chdir(tmp_path)
    in_two_processes(_evaluate, world.config, run / "best", tmp_path / "two.json")
    two = json.loads((tmp_path / "two.json").read_text())
    one = json.loads(json.dumps(evaluate(load_config(world.config), run / "best", "val")[1]))
    assert two["scores"] == one["scores"]
    assert two["samples"] == one["samples"] == 15
    assert two["predictions"].keys() == one["predictions"].keys()
    assert [p["answer"] for p in two["predictions"].values()] == [p["answer"] for p in one["predictions"].values()]
    assert [path.name for path in tmp_path.iterdir()] == ["two.json"]


def test_two_train_one_model(world: World, tmp_path: Path) -> None:
    in_two_processes(_train, world.config, tmp_path / "run")
    saved = torch.load(tmp_path / "run" / "epoch_2.pth", weights_only=True)
    assert saved["meta"]["iter"] == 2 * 3  # of 21 samples each gets 11, in batches of 4
    assert saved["state_dict"].keys() == {f"model.{name}" for name in read_adapter(tmp_path / "run" / "best").tensors}
    selected = read_adapter(tmp_path / "run" / "best").record["selected"]
    report, _ = evaluate(load_config(world.config), tmp_path / "run" / "best", "val")
    assert report.value("overall") == selected["overall"]


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
