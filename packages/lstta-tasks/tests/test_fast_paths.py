"""What the config's model section says of speed and memory changes no result by more than it should."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from small_world import World, make
from torch import Tensor

from lstta_core.compiling import COMPILERS, torch_compiles
from lstta_core.quantized import is_quantized
from lstta_tasks.adapters import load, read
from lstta_tasks.costs.profile import macs_of_a_sample, profile
from lstta_tasks.data.cache import CacheReader
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.record import record_of
from lstta_tasks.prefix.build import build_prefix
from lstta_tasks.training.checkpoints import last_checkpoint
from lstta_tasks.training.train import train

EAGER = {"model.compile": {"backend": "eager"}}
new_enough = pytest.mark.skipif(not torch_compiles(), reason="this torch is too old")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make(tmp_path_factory.mktemp("fast-paths"))


def step(world: World, **options: Any) -> tuple[Tensor, list[Tensor], Experiment]:
    """The loss of a batch and the gradients of everything that trains, with adapters that do something.

    All clips are one batch: the readout divides by how much a batch's clips differ, and four differ little.
    """
    torch.manual_seed(0)
    one = Experiment(load_config(world.config, {"loader.batch_size": 64, **options}))
    for name, parameter in one.model.named_parameters():
        if ".up." in name:
            torch.nn.init.normal_(parameter, std=0.3, generator=torch.Generator().manual_seed(len(name)))
    batch = next(iter(one.loader("val", one.dataset("val"))))
    torch.manual_seed(0)
    loss = one.task.answer.loss(one.model.train()(batch["inputs"]).output, batch["target"])
    trained = [parameter for parameter in one.model.parameters() if parameter.requires_grad]
    return loss, [g for g in torch.autograd.grad(loss, trained, allow_unused=True) if g is not None], one


def test_checkpointing_is_equal_to_the_bit(small: World) -> None:
    loss, gradients, _ = step(small)
    again, others, _ = step(small, **{"model.checkpointing": True})
    assert torch.equal(loss, again)
    assert all(torch.equal(one, two) for one, two in zip(gradients, others, strict=True))


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_frozen_weights_in_half_precision_are_near_and_what_trains_stays_in_float32(
    small: World, half: torch.dtype
) -> None:
    loss, gradients, _ = step(small)
    near, others, one = step(small, **{"model.frozen_dtype": str(half).removeprefix("torch.")})
    (model,) = one.model.lockstep_models().values()
    assert {p.dtype for p in model.encoders.parameters()} == {half}
    assert {gradient.dtype for gradient in others} == {torch.float32}
    assert abs(near.item() - loss.item()) <= 0.02 * loss.item()
    flat, other = (torch.cat([g.flatten() for g in found]) for found in (gradients, others))
    assert torch.cosine_similarity(flat, other, dim=0) >= 0.98


def test_frozen_weights_in_8_bits_are_near_and_their_folder_is_loaded_with_them(small: World, tmp_path: Path) -> None:
    loss, gradients, _ = step(small)
    near, others, _ = step(small, **{"model.frozen_dtype": "int8"})
    assert abs(near.item() - loss.item()) <= 0.02 * loss.item()
    flat, other = (torch.cat([g.flatten() for g in found]) for found in (gradients, others))
    assert torch.cosine_similarity(flat, other, dim=0) >= 0.98
    config = load_config(small.config, {"model.frozen_dtype": "int8", "train_cfg.max_epochs": 1})
    train(config, work_dir=tmp_path / "run")
    one = Experiment(load_config(small.config))
    predictor = load(tmp_path / "run" / "best", one.encoders)
    assert is_quantized(predictor.model)
    report, _ = evaluate(load_config(small.config), tmp_path / "run" / "best", "val")
    assert report.value("overall") == read(tmp_path / "run" / "best").record["selected"]["overall"]


def test_costs_of_8_bits_are_counted_on_the_plain_model(small: World) -> None:
    whole, few = (
        profile(load_config(small.config, {"model.frozen_dtype": dtype}), batch_size=2, repeats=1)
        for dtype in (None, "int8")
    )
    assert few.parameters == whole.parameters
    assert few.macs.total == whole.macs.total
    assert few.resident_bytes < whole.resident_bytes


def test_an_unknown_type_is_refused(small: World) -> None:
    with pytest.raises(
        ValueError, match=r"model.frozen_dtype: one of float32, bfloat16, float16, int8, nf4 is wanted, got 'int7'"
    ):
        step(small, **{"model.frozen_dtype": "int7"})


def test_the_folder_of_a_low_precision_run_says_so(small: World) -> None:
    one = Experiment(load_config(small.config, {"model.frozen_dtype": "bfloat16"}))
    assert record_of(one)["model"]["frozen_dtype"] == "bfloat16"


@new_enough
def test_compiled_parts_without_code_generation_are_equal_to_the_bit(small: World) -> None:
    loss, gradients, plain = step(small)
    again, others, compiled = step(small, **EAGER)
    assert torch.equal(loss, again)
    assert all(torch.equal(one, two) for one, two in zip(gradients, others, strict=True))
    assert list(compiled.model.state_dict()) == list(plain.model.state_dict())
    assert record_of(compiled) == record_of(plain)  # an adapter is the same thing however it was trained


@new_enough
def test_a_compiled_run_is_resumed_without_and_evaluated(small: World, tmp_path: Path) -> None:
    def config(epochs: int, **options: Any) -> Any:
        return load_config(small.config, {"train_cfg.max_epochs": epochs, **options})

    train(config(1, **EAGER), work_dir=tmp_path / "run")
    assert "warm-up of model.compile: " in (tmp_path / "run" / "train.log").read_text()
    train(config(2), work_dir=tmp_path / "run", resume=True)
    train(config(2), work_dir=tmp_path / "whole")
    there, here = (torch.load(last_checkpoint(tmp_path / run), weights_only=True) for run in ("whole", "run"))
    assert there["state_dict"].keys() == here["state_dict"].keys()
    for name, tensor in there["state_dict"].items():
        # Attention under oneDNN's mode and without may differ in the last bit, and Adam makes more of it.
        torch.testing.assert_close(here["state_dict"][name], tensor, rtol=1e-3, atol=1e-3)
    evaluate(config(2, **EAGER), tmp_path / "run" / "best", "val")


@new_enough
def test_what_is_counted_and_cached_is_the_plain_model(small: World, tmp_path: Path) -> None:
    options = {"model.adapted": 1}
    for name, more in (("plain", {}), ("compiled", EAGER)):
        build_prefix(Experiment(load_config(small.config, {**options, **more, "clips.prefix": str(tmp_path / name)})))
    assert CacheReader(tmp_path / "plain").meta["digest"] == CacheReader(tmp_path / "compiled").meta["digest"]
    found = profile(load_config(small.config, EAGER), repeats=1)
    assert found.macs == macs_of_a_sample(Experiment(load_config(small.config)), None)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param("quickly", "torch.compile does not take .*quickly", marks=new_enough),
        pytest.param({"modes": "default"}, "torch.compile does not take .*modes", marks=new_enough),
        (3, "model.compile: bool or str or dict is wanted, got 3"),
    ],
)
def test_what_torch_does_not_take_is_refused(small: World, value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        _ = Experiment(load_config(small.config, {"model.compile": value})).model


@new_enough
@pytest.mark.slow
@pytest.mark.skipif(not any(shutil.which(name) for name in COMPILERS), reason="there is no C++ compiler")
@pytest.mark.parametrize("options", [True, {"dynamic": True}])
def test_compiled_code_is_near(small: World, options: Any) -> None:
    torch.compiler.reset()
    still = {"method.dropout": 0.0, "model.readout.dropout": 0.0}  # compiled code draws other random numbers
    loss, gradients, _ = step(small, **still)
    near, others, _ = step(small, **still, **{"model.compile": options})
    torch.testing.assert_close(near, loss, rtol=1e-5, atol=1e-6)
    for one, two in zip(gradients, others, strict=True):
        torch.testing.assert_close(two, one, rtol=1e-3, atol=1e-5)
