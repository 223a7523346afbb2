"""What a GPU computes is what a CPU computes. benchmarks/gpu.py runs those marked ``gpu`` before it measures.

No test needs PyAV. Those that run on a CPU as well compare it with itself there: that takes the way, and tells no more.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cached_world
import pytest
import torch
from small_world import World

from lstta_core.interfaces import Modality
from lstta_tasks.adapters import load
from lstta_tasks.data.batch import SampleDataset
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.runner import RunnerModel
from lstta_tasks.importances.measure import measure
from lstta_tasks.training.checkpoints import last_checkpoint
from lstta_tasks.training.train import train

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when cuBLAS is first used
sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

THERE = torch.cuda.is_available()
ON_GPU = pytest.param(
    "cuda", marks=[pytest.mark.gpu, pytest.mark.skipif(not THERE, reason="no GPU that torch can use")]
)
DEVICES = ["cpu", ON_GPU]
TOLERANCE = 1e-4


@pytest.fixture(autouse=True)
def _exact() -> Iterator[None]:
    """Float32 as a CPU has it."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


@pytest.fixture(scope="module")
def cached(tmp_path_factory: pytest.TempPathFactory) -> World:
    return cached_world.make(tmp_path_factory.mktemp("cached"))


@pytest.fixture(scope="module")
def trained(cached: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three epochs."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    train(load_config(cached.config), work_dir=folder)
    return folder


def way(device: str, method: dict[str, Any] | None, **options: Any) -> Any:
    """A way of the benchmarks at tiny sizes, in float32; what trains is moved away from its start, always alike."""
    from ways import TINY, Way

    made = Way(size=TINY, settings="float32", method=method, device=torch.device(device), **options)
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in [*made.model.trainable_parameters(), *made.head.parameters()]:
            parameter += 0.05 * torch.randn(parameter.shape, generator=random).to(device)
    return made


def assert_near(found: torch.Tensor, wanted: torch.Tensor, scale: float) -> None:
    """Equal to ``TOLERANCE`` of the largest value; where all are tiny, of a thousandth of ``scale``."""
    largest = max(float(wanted.abs().max()), scale / 1000)
    torch.testing.assert_close(found.cpu(), wanted.cpu(), rtol=0, atol=TOLERANCE * largest)


def assert_equal(found: Any, wanted: Any) -> None:
    """The same tensors in the same places, to the bit."""
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys()
        for key in wanted:
            assert_equal(found[key], wanted[key])
    elif isinstance(wanted, torch.Tensor):
        assert torch.equal(found, wanted)
    else:
        assert found == wanted


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("method", ["lstta", "bottleneck", "lavish"])
def test_outputs_and_gradients_are_the_cpus(method: str, device: str) -> None:
    here, there = (way(d, {"name": method}) for d in ("cpu", device))
    outputs = [w.head(w.model(w.inputs)) for w in (here, there)]
    assert_near(outputs[1].detach(), outputs[0].detach(), 1.0)
    for w in (here, there):
        w.loss().backward()
    gradients = [
        {name: parameter.grad for name, parameter in [*w.model.named_parameters(), *w.head.named_parameters()]}
        for w in (here, there)
    ]
    wanted = {name: gradient for name, gradient in gradients[0].items() if gradient is not None}
    assert len(wanted) > 10
    scale = max(float(gradient.abs().max()) for gradient in wanted.values())
    for name, gradient in gradients[1].items():
        if name in wanted:
            assert_near(gradient, wanted[name], scale)
        else:
            assert gradient is None, name


@pytest.mark.parametrize("device", DEVICES)
def test_mixed_precision_gives_numbers(
    cached: World, device: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve steps of ``--amp``; on a CPU, which has none, the same without it."""
    losses: list[float] = []
    step = RunnerModel.train_step

    def kept(self: RunnerModel, *args: Any, **kwargs: Any) -> dict[str, torch.Tensor]:
        found = step(self, *args, **kwargs)
        losses.append(found["loss"].item())
        return found

    monkeypatch.setattr(RunnerModel, "train_step", kept)
    config = load_config(cached.config, {"train_cfg.max_epochs": 2})
    report = train(config, work_dir=tmp_path / "run", amp=device == "cuda", device=device)
    assert len(losses) >= 10
    assert all(map(math.isfinite, losses))
    assert report is not None
    state = torch.load(last_checkpoint(tmp_path / "run"), weights_only=True, map_location="cpu")["state_dict"]
    assert all(tensor.isfinite().all() for tensor in state.values())


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.filterwarnings("ignore:.*deterministic")
def test_a_resumed_run_ends_as_the_whole_one(cached: World, device: str, tmp_path: Path) -> None:
    """To the bit. On a GPU torch's deterministic algorithms are asked for: others add up in any order."""
    torch.use_deterministic_algorithms(device == "cuda", warn_only=True)
    try:
        shorter = load_config(cached.config, {"train_cfg.max_epochs": 2})
        train(load_config(cached.config), work_dir=tmp_path / "whole", device=device)
        train(shorter, work_dir=tmp_path / "cut", device=device)
        train(load_config(cached.config), work_dir=tmp_path / "cut", resume=True, device=device)
    finally:
        torch.use_deterministic_algorithms(False)
    whole, cut = (
        torch.load(last_checkpoint(tmp_path / name), weights_only=True, map_location="cpu") for name in ("whole", "cut")
    )
    assert whole["meta"] == cut["meta"]
    for part in ("state_dict", "optimizer"):
        assert_equal(whole[part], cut[part])


@pytest.mark.parametrize("device", DEVICES)
def test_an_adapter_folder_answers_a_batch_of_the_cache(cached: World, trained: Path, device: str) -> None:
    experiment = Experiment(load_config(cached.config))
    encoders = {Modality(m): encoder for m, encoder in experiment.encoders.items()}
    predictor = load(trained / "best", encoders, device="cpu")
    dataset = SampleDataset(experiment.task.samples("val"), experiment.cache)
    items = [dataset[index] for index in range(6)]
    here = predictor.answer(items)
    assert predictor.to(device).device.type == device
    there = predictor.answer(items)
    assert [one["answer"] for one in there] == [one["answer"] for one in here]
    assert [one["probability"] for one in there] == pytest.approx([one["probability"] for one in here], abs=TOLERANCE)


@pytest.mark.parametrize("device", DEVICES)
def test_evaluation_gives_what_the_adapter_answers(cached: World, trained: Path, device: str) -> None:
    _, details = evaluate(load_config(cached.config), trained / "best", "val", device=device)
    experiment = Experiment(load_config(cached.config))
    predictor = load(trained / "best", experiment.encoders, device=device)
    assert predictor.device.type == device
    dataset = SampleDataset(experiment.task.samples("val"), experiment.cache)
    answers = predictor.answer([dataset[index] for index in range(len(dataset))])
    for sample, answer in zip(dataset.samples, answers, strict=True):
        assert details["predictions"][sample.id]["probability"] == pytest.approx(answer["probability"], abs=TOLERANCE)


@pytest.mark.parametrize("device", DEVICES)
def test_frozen_weights_in_float16_train(cached: World, device: str, tmp_path: Path) -> None:
    config = load_config(cached.config, {"train_cfg.max_epochs": 2, "model.frozen_dtype": "float16"})
    assert train(config, work_dir=tmp_path / "run", device=device) is not None
    state = torch.load(last_checkpoint(tmp_path / "run"), weights_only=True, map_location="cpu")
    assert all(tensor.isfinite().all() for tensor in state["state_dict"].values())


@pytest.mark.parametrize("device", DEVICES)
def test_importances_are_the_cpus(cached: World, trained: Path, device: str) -> None:
    here, there = (
        measure(load_config(cached.config), trained / "best", "val", draws=1, removed=[1], device=d)
        for d in ("cpu", device)
    )
    for name, curves in here.curves.items():
        for one, two in zip(curves, there.curves[name], strict=True):
            assert two.mean == pytest.approx(one.mean, abs=0.2)  # an answer of a few samples may lie on an edge


@pytest.mark.parametrize("device", [ON_GPU])
@pytest.mark.parametrize("cached_prefix", [False, True])
def test_a_step_in_a_graph_is_the_eager_one(device: str, cached_prefix: bool) -> None:
    """Several steps of both from one start: the same loss, the same weights. There is no such thing on a CPU.

    Where a gradient is nothing but rounding, AdamW takes its sign for a direction, so weights are compared in the mean.
    """
    from on_gpu.graphs import WARMUP, CapturedStep
    from ways import LSTTA

    options = {"adapted": 1, "cached": cached_prefix, "capturable": True}
    eager, captured = (way(device, LSTTA, **options) for _ in range(2))
    start = weights(eager)
    assert torch.equal(weights(captured), start)
    graph = CapturedStep(captured)
    for _ in range(5):
        graph.step()
    for _ in range(WARMUP + 5):
        eager.step()
    moved = (weights(eager) - start).abs().mean()
    assert moved > 0
    assert (weights(captured) - weights(eager)).abs().mean() < 0.01 * moved
    assert float(captured.loss()) == pytest.approx(float(eager.loss()), rel=TOLERANCE)


def weights(of: Any) -> torch.Tensor:
    """Everything that a way trains, in one vector."""
    return torch.cat([p.detach().flatten() for p in [*of.model.trainable_parameters(), *of.head.parameters()]])
