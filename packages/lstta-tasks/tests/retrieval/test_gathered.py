"""Two processes with half a batch each have the loss and the gradients of one with the whole, dual and joint."""

from __future__ import annotations

import multiprocessing
import os
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from small_world import World

from lstta_core.interfaces import Inputs
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.distributed import join, wrap
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.runner import RunnerModel

STILL = {"method.dropout": 0.0, "model.readout.dropout": 0.0}
PLACES = (0, 1, 3, 5, 2, 4, 7, 8)  # of the captions; the second half's are longer, and two are of one clip


def step(config: Path, joint: bool, places: tuple[int, ...], *, several: bool) -> dict[str, Any]:
    """Loss, gradients and statistics of a training step on these captions, in float64: rounding hides no fault."""
    torch.set_num_threads(1)
    torch.Tensor.float = torch.Tensor.double  # type: ignore[method-assign, assignment]
    torch.manual_seed(0)
    experiment = Experiment(load_config(config, {**STILL, "task.joint": joint}))
    runner = RunnerModel(model=experiment.model, task=experiment.task).double().train()
    model = wrap(runner) if several else runner
    dataset = experiment.dataset("train")
    batch = experiment.collate([dataset[place] for place in places])
    torch.manual_seed(int(os.environ.get("RANK", 0)))  # as SeedHook: each draws other numbers
    loss = model(batch["inputs"], batch["target"], batch["ids"], mode="loss")["loss"]
    loss.backward()
    return {
        "loss": loss.detach(),
        "gradients": {name: p.grad for name, p in runner.named_parameters() if p.grad is not None},
        "statistics": {name: buffer for name, buffer in runner.named_buffers() if buffer.is_floating_point()},
    }


def as_rank(rank: int, port: int, config: Path, joint: bool, folder: Path) -> None:
    where = {"MASTER_ADDR": "localhost", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    os.environ.update(where, RANK=str(rank), LOCAL_RANK=str(rank))
    join("pytorch")
    half = len(PLACES) // 2
    torch.save(step(config, joint, PLACES[rank * half :][:half], several=True), folder / f"{rank}.pt")


@pytest.mark.slow
@pytest.mark.parametrize("joint", [False, True])
def test_two_halves_are_the_whole(msrvtt: World, tmp_path: Path, joint: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    ranks = [context.Process(target=as_rank, args=(rank, port, msrvtt.config, joint, tmp_path)) for rank in range(2)]
    for rank in ranks:
        rank.start()
    for rank in ranks:
        rank.join()
    with monkeypatch.context() as patch:
        patch.setattr(torch.Tensor, "float", torch.Tensor.float)  # to be put back
        whole = step(msrvtt.config, joint, PLACES, several=False)
    for number in range(2):
        found = torch.load(tmp_path / f"{number}.pt", weights_only=True)
        assert found["gradients"].keys() == whole["gradients"].keys()
        torch.testing.assert_close(found, whole, rtol=1e-9, atol=1e-9)
    assert any(name.startswith("model.matcher") for name in whole["gradients"]) == joint
    largest = max(float(gradient.abs().max()) for gradient in whole["gradients"].values())
    assert largest > 1e-2


def test_evaluation_compares_within_a_batch(msrvtt: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lstta_tasks.retrieval.network.processes", lambda: 2)
    monkeypatch.setattr("lstta_tasks.retrieval.network.gather_over_processes", lambda own: own)
    experiment = Experiment(load_config(msrvtt.config))
    dataset = experiment.dataset("train")
    batch = experiment.collate([dataset[place] for place in range(3)])
    inputs: Inputs = batch["inputs"]
    assert experiment.model.train()(inputs, batch["target"]).output.target is not None
    assert experiment.model.eval()(inputs, batch["target"]).output.target is None
    assert experiment.model.train()(inputs).output.target is None
