from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from small_world import World

from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.train_share import share_of
from lstta_tasks.task import Sample

SAMPLES = cast(list[Sample], [SimpleNamespace(id=f"sample {index}") for index in range(97)])


def ids(share: float, seed: int, samples: list[Sample] = SAMPLES) -> list[str]:
    return [sample.id for sample in share_of(samples, share, seed)]


def test_shares_are_drawn_by_seed_and_lie_within_larger_ones() -> None:
    assert ids(1, 0) == [sample.id for sample in SAMPLES]
    assert len(ids(0.1, 0)) == 10
    assert len(ids(1e-9, 0)) == 1
    assert set(ids(0.1, 0)) < set(ids(0.5, 0)) != set(ids(0.5, 1))
    assert ids(0.1, 3) == ids(0.1, 3)
    order = {sample.id: place for place, sample in enumerate(SAMPLES)}
    assert sorted(ids(0.5, 0), key=lambda one: order[one]) == ids(0.5, 0)


def test_the_order_of_the_file_does_not_matter() -> None:
    assert set(ids(0.3, 2, SAMPLES[::-1])) == set(ids(0.3, 2))


def test_only_the_training_set_is_smaller(world: World) -> None:
    whole, some = (Experiment(load_config(world.config, {"loader.train_share": share})) for share in (1, 0.3))
    assert len(whole.dataset("train")) == 21
    assert len(some.dataset("train")) == 7
    assert len(whole.dataset("val")) == len(some.dataset("val"))


@pytest.mark.parametrize("share", [0, -0.1, 1.01, 10, "a tenth", True, None, float("nan")])
def test_what_is_no_share_is_refused(world: World, share: Any) -> None:
    with pytest.raises(
        ValueError, match=r"loader.train_share: a number above 0 and at most 1, which is all, is wanted"
    ):
        load_config(Path(world.config), {"loader.train_share": share})
