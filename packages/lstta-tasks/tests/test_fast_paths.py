"""What the config's model section says of speed and memory changes no result by more than it should."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small_world import World, make
from torch import Tensor

from lstta_tasks.engine.config import load_config
from lstta_tasks.engine.experiment import Experiment


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make(tmp_path_factory.mktemp("fast-paths"))


def step(world: World, **options: Any) -> tuple[Tensor, list[Tensor], Experiment]:
    """The loss of a batch and the gradients of everything that trains, with adapters that do something."""
    torch.manual_seed(0)
    one = Experiment(load_config(world.config, options))
    for name, parameter in one.model.named_parameters():
        if ".up." in name:
            torch.nn.init.normal_(parameter, std=0.3, generator=torch.Generator().manual_seed(len(name)))
    batch = next(iter(one.loader("val", one.dataset("val"))))
    torch.manual_seed(0)
    loss = one.task.loss(one.model.train()(batch["inputs"]).output, batch["target"])
    trained = [parameter for parameter in one.model.parameters() if parameter.requires_grad]
    return loss, [g for g in torch.autograd.grad(loss, trained, allow_unused=True) if g is not None], one


def test_checkpointing_is_equal_to_the_bit(small: World) -> None:
    loss, gradients, _ = step(small)
    again, others, _ = step(small, **{"model.checkpointing": True})
    assert torch.equal(loss, again)
    assert all(torch.equal(one, two) for one, two in zip(gradients, others, strict=True))


def test_frozen_weights_in_bfloat16_are_near_and_what_trains_stays_in_float32(small: World) -> None:
    loss, gradients, _ = step(small)
    near, others, one = step(small, **{"model.frozen_dtype": "bfloat16"})
    (model,) = one.model.lockstep_models().values()
    assert {p.dtype for p in model.encoders.parameters()} == {torch.bfloat16}
    assert {gradient.dtype for gradient in others} == {torch.float32}
    assert abs(near.item() - loss.item()) <= 0.02 * loss.item()
    flat, other = (torch.cat([g.flatten() for g in found]) for found in (gradients, others))
    assert torch.cosine_similarity(flat, other, dim=0) >= 0.98


def test_an_unknown_type_is_refused(small: World) -> None:
    with pytest.raises(ValueError, match=r"model.frozen_dtype: one of float32, bfloat16 is wanted, got 'int8'"):
        step(small, **{"model.frozen_dtype": "int8"})


def test_the_folder_of_a_low_precision_run_says_so(small: World) -> None:
    one = Experiment(load_config(small.config, {"model.frozen_dtype": "bfloat16"}))
    assert one.record()["model"]["frozen_dtype"] == "bfloat16"
