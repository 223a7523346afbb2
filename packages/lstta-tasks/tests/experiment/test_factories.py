"""Calling what a config names."""

from __future__ import annotations

from typing import Any

import pytest
from small_world import World
from torch import nn

from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.factories import arguments, call, create, plain
from lstta_tasks.experiment.record import described


class TestFactories:
    def test_arguments_of_functions_and_classes(self) -> None:
        def function(a: int, *, b: int = 1) -> None: ...

        def open_ended(a: int, **more: int) -> None: ...

        class Base:
            def __init__(self, x: int, y: int = 2) -> None: ...

        class Middle(Base):
            pass

        class Derived(Middle):
            def __init__(self, z: int, **more: Any) -> None: ...

        class Any_(Base):
            def __init__(self, z: int, y: int) -> None: ...

        assert arguments(function) == ({"a": True, "b": False}, False)
        assert arguments(open_ended) == ({"a": True}, True)
        assert arguments(Derived) == ({"x": True, "y": False, "z": True}, False)
        assert arguments(Any_) == ({"z": True, "y": True}, False)
        assert arguments(type("Empty", (), {})) == ({}, False)

    def test_calls_are_checked(self) -> None:
        assert call(nn.Linear, "here", {"in_features": 3, "out_features": 5}).weight.shape == (5, 3)
        with pytest.raises(ValueError, match=r"here.in_featurs: Linear does not take it; did you mean 'in_features'\?"):
            call(nn.Linear, "here", {"in_featurs": 3})
        with pytest.raises(ValueError, match=r"here.out_features: Linear needs it"):
            call(nn.Linear, "here", {"in_features": 3})
        with pytest.raises(ValueError, match=r"here.in_features: int is wanted, got 'a'"):
            call(nn.Linear, "here", {"in_features": "a", "out_features": 5})

    def test_a_type_may_be_its_address(self) -> None:
        for address in ("torch.nn.Linear", "torch.nn:Linear"):
            made = create("encoder", "here", {"type": address, "in_features": 3, "out_features": 5})
            assert isinstance(made, nn.Linear)

    def test_descriptions_are_json(self) -> None:
        assert described("here", {"name": "x", "a": (1, 2)}) == {"name": "x", "a": (1, 2)}
        found = described("here", {"type": nn.Linear, "b": [1]})
        assert found == {"name": "torch.nn.modules.linear:Linear", "b": [1]}
        with pytest.raises(ValueError, match=r"here.dtype: .* cannot be written into an adapter's record"):
            create("encoder", "here", {"type": nn.Identity, "dtype": nn.Linear})

    def test_plain_values_are_dicts_lists_and_tuples(self, world: World) -> None:
        config = load_config(world.config, {"clips.frame_size": (8, 12)})
        assert type(plain(config.model)) is dict
        assert type(plain(config.model)["readout"]) is dict
        assert type(plain(config.param_scheduler)[0]) is dict
        assert plain(config.clips)["frame_size"] == (8, 12)
