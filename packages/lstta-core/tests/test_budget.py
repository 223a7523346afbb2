"""Counting what a method would train, and solving for the size that comes nearest to a budget."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from lstta_core.budget import count_parameters
from lstta_core.interfaces import Modality
from lstta_core.lockstep import TrimodalModel
from lstta_core.method import create_method
from lstta_core.plugins import UnknownNameError, installed_plugins


@pytest.fixture
def model(small: ModuleType) -> TrimodalModel:
    return TrimodalModel(small.encoders())


@pytest.fixture
def selected_core(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Only core's own plugin, whatever else is installed."""
    monkeypatch.setenv("LSTTA_PLUGINS", "core")
    installed_plugins.cache_clear()
    yield
    installed_plugins.cache_clear()


pytestmark = pytest.mark.usefixtures("selected_core")


@pytest.mark.parametrize(
    ("name", "budget", "options"),
    [
        ("lstta", 110_000, {}),
        ("lstta", 350_000, {"latents": 3}),
        ("lstta", 50_000, {"short_term": False, "window": 5}),
        ("bottleneck", 5_000, {}),
        ("bottleneck", 350_000, {}),
        ("dgsct", 50_000, {"groups": 1}),
        ("moka", 20_000, {"text": 0.5}),
        ("cola", 19_000, {"reduction": 3}),
        ("lavish", 350_000, {"groups": 1, "latents": 3}),
    ],
)
def test_within_two_per_cent_and_what_is_counted_is_what_trains(
    model: TrimodalModel, name: str, budget: int, options: dict[str, Any]
) -> None:
    choice = create_method(name, model, budget=budget, **options)
    assert abs(choice.parameters / budget - 1) < 0.02
    model.add_adapter("a", choice.method)
    assert sum(parameter.numel() for parameter in model.trainable_parameters()) == choice.parameters
    assert {key: choice.options[key] for key in options} == options
    again = create_method(name, model, **choice.options)
    assert again.parameters == choice.parameters
    assert again.budget is None


@pytest.mark.parametrize("budget", [4_001, 5_555, 6_789, 10_007])
def test_no_neighbour_is_nearer(model: TrimodalModel, budget: int) -> None:
    choice = create_method("bottleneck", model, budget=budget)
    width = choice.options["width"]
    for other in (width - 1, width + 1):
        parameters = create_method("bottleneck", model, width=other).parameters
        assert abs(choice.parameters - budget) <= abs(parameters - budget)


def test_only_adapted_stages_count(small: ModuleType) -> None:
    counts = [
        create_method("bottleneck", TrimodalModel(small.encoders(), adapted=n), width=7).parameters for n in range(4)
    ]
    assert counts[0] == 0
    assert counts[0] < counts[1] < counts[2] < counts[3]


def test_nothing_of_the_model_changes(model: TrimodalModel) -> None:
    model.add_adapter("before", create_method("lstta", model, width=8).method)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    full = create_method("full", model)
    assert full.parameters == sum(parameter.numel() for parameter in model.encoders.parameters())
    assert count_parameters(full.method, model) == full.parameters
    assert create_method("none", model).parameters == 0
    assert model.active == "before"
    after = model.state_dict()
    assert list(after) == list(state)
    assert all(after[name].equal(tensor) for name, tensor in state.items())
    assert not any(parameter.requires_grad for parameter in model.encoders.parameters())


def test_says_what_it_chose(model: TrimodalModel, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="lstta_core.budget"):
        choice = create_method("bottleneck", model, budget=5_000, dropout=0.1)
        create_method("lstta", model, budget=4_000, heads=4)
    chosen, far = caplog.records
    assert chosen.levelno == logging.INFO
    width = choice.options["width"]
    assert f"bottleneck(dropout=0.1, width={width}) trains {choice.parameters:,} parameters" in chosen.getMessage()
    assert "budget of 5,000" in chosen.getMessage()
    assert far.levelno == logging.WARNING


def test_errors(model: TrimodalModel) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'lstta'"):
        create_method("lsta", model, budget=1_000)
    with pytest.raises(ValueError, match="budget solves for width, which is given too"):
        create_method("lstta", model, budget=1_000, width=8)
    with pytest.raises(ValueError, match="full has no option that sets its size"):
        create_method("full", model, budget=1_000)
    with pytest.raises(ValueError, match=r"budget=50 is too small for bottleneck: with width=1"):
        create_method("bottleneck", model, budget=50)
    nowhere = TrimodalModel(model.by_modality(), adapted=0)
    with pytest.raises(ValueError, match="trains 0 parameters here, whatever its width"):
        create_method("bottleneck", nowhere, budget=1_000)


class TestSeveralModels:
    """They share one budget and get the same options."""

    @pytest.fixture
    def models(self, small: ModuleType) -> list[TrimodalModel]:
        encoders = small.encoders()
        language = Modality.LANGUAGE
        timed = {m: encoder for m, encoder in encoders.items() if m != language}
        return [TrimodalModel(timed), TrimodalModel({language: encoders[language]}), TrimodalModel(small.encoders())]

    @pytest.mark.parametrize("name", ["lstta", "bottleneck"])
    def test_they_train_what_was_asked_for_together(self, models: list[TrimodalModel], name: str) -> None:
        choice = create_method(name, models, budget=190_027)
        assert abs(choice.parameters / 190_027 - 1) < 0.02
        for model in models:
            model.add_adapter("a", choice.method)
        assert sum(p.numel() for model in models for p in model.trainable_parameters()) == choice.parameters

    def test_without_a_budget_all_are_counted(self, models: list[TrimodalModel]) -> None:
        alone = [create_method("lstta", model, width=8).parameters for model in models]
        assert create_method("lstta", models, width=8).parameters == sum(alone)
