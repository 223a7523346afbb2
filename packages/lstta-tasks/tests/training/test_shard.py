"""Frozen encoders shared out between two processes: what is computed is what one computes, and half is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from ranks import Machine, share_out, toy_losses, toy_model, train_on
from same_end import assert_same_end, checkpoint
from small_world import World

from lstta_core.adapter_files import read_adapter
from lstta_core.sharding import kept_bytes
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.training.train import train


@pytest.mark.slow
def test_losses_and_gradients_are_those_of_the_whole_and_about_half_is_kept(tmp_path: Path) -> None:
    """Toys have little in their blocks and much outside of them, which stays whole."""
    model = toy_model()
    wanted, whole = toy_losses(model), kept_bytes(model.encoders)[0]
    assert share_out(tmp_path) == [0, 0]
    both = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    for found in both:
        for name, values in wanted.items():
            assert found[name].keys() == values.keys()
            for key, value in values.items():
                torch.testing.assert_close(found[name][key], value, rtol=1e-5, atol=1e-6)
        kept, there = found["bytes"]
        assert there == whole
        assert kept < 0.75 * whole
    twice = sum(found["bytes"][0] for found in both) - whole
    blocks = {id(p) for e in model.by_modality().values() for i in range(e.depth) for p in e.block(i).parameters()}
    tables = {id(m.weight) for m in model.encoders.modules() if isinstance(m, torch.nn.Embedding)}
    small = sum(4 * p.numel() for p in model.encoders.parameters() if id(p) not in blocks | tables)
    assert twice <= 1.1 * small + 64  # and what does not divide by two


def machines(world: World, folder: Path, *, epochs: int, shard: bool = True) -> list[Machine]:
    options = {"model.shard": shard, "train_cfg.max_epochs": epochs}
    return [Machine(folder / str(rank) / "run", world.config, options) for rank in range(2)]


@pytest.fixture(scope="module")
def shared(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the first rank of a run of two epochs."""
    both = machines(world, tmp_path_factory.mktemp("shared"), epochs=2)
    assert train_on(*both) == ["", ""]
    return both[0].folder


@pytest.mark.slow
def test_a_run_is_that_of_whole_encoders(world: World, shared: Path, tmp_path: Path) -> None:
    whole = machines(world, tmp_path, epochs=2, shard=False)
    assert train_on(*whole) == ["", ""]
    one, two = (checkpoint(folder) for folder in (whole[0].folder, shared))
    for name, tensor in one["state_dict"].items():
        torch.testing.assert_close(two["state_dict"][name], tensor, rtol=1e-4, atol=1e-5)
    here, there = (read_adapter(folder / "best") for folder in (whole[0].folder, shared))
    assert here.record == there.record
    assert {n: t.shape for n, t in here.tensors.items()} == {n: t.shape for n, t in there.tensors.items()}


@pytest.mark.slow
def test_and_goes_on(world: World, shared: Path, tmp_path: Path) -> None:
    assert train_on(*machines(world, tmp_path, epochs=1)) == ["", ""]
    both = machines(world, tmp_path, epochs=2)
    assert train_on(*both, resume=True) == ["", ""]
    assert_same_end(shared, both[0].folder)


def test_of_one_process_nothing_is_shared_out(world: World, tmp_path: Path) -> None:
    config = load_config(world.config, {"model.shard": True, "train_cfg.max_epochs": 1})
    assert train(config, work_dir=tmp_path / "run") is not None
    assert "shard" not in read_adapter(tmp_path / "run" / "best").record["model"]


@pytest.mark.parametrize("other", [{"model.frozen_dtype": "int8"}, {"model.compile": True}])
def test_what_cannot_be_shared_out_is_refused(world: World, other: dict[str, object]) -> None:
    experiment = Experiment(load_config(world.config, {"model.shard": True, **other}))
    with pytest.raises(ValueError, match=r"model.shard: not together with model\.\w+"):
        _ = experiment.model
