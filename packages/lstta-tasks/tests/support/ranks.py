"""Two processes that know of each other as torchrun's do, on a CPU: they evaluate, and then they train."""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
from pathlib import Path

import torch
from children import skip_pictures

from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate
from lstta_tasks.training.train import train


def evaluate_and_train(config: Path, adapter: Path, folder: Path) -> list[int | None]:
    """Write ``folder/val.json`` and the run ``folder/run``, of two epochs; return the exit codes."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    ranks = [context.Process(target=_work, args=(rank, port, config, adapter, folder)) for rank in range(2)]
    for rank in ranks:
        rank.start()
    for rank in ranks:
        rank.join()
    return [rank.exitcode for rank in ranks]


def _work(rank: int, port: int, config: Path, adapter: Path, folder: Path) -> None:
    torch.set_num_threads(1)
    skip_pictures()
    where = {"MASTER_ADDR": "localhost", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    os.environ.update(where, RANK=str(rank), LOCAL_RANK=str(rank))
    report, details = evaluate(load_config(config), adapter, "val", launcher="pytorch")
    assert bool(report.scores) == (rank == 0)
    if rank == 0:
        (folder / "val.json").write_text(json.dumps(details))
    options = {"train_cfg.max_epochs": 2}
    last = train(load_config(config, options), work_dir=folder / "run", launcher="pytorch")
    assert (last is not None) == (rank == 0)
