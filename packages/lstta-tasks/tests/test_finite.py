"""Numbers that are no numbers are an error before a person or a file has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from small_world import World, write_film

from lstta_core.adapter_files import AdapterFileError, read_adapter
from lstta_core.finite import NotFiniteError
from lstta_tasks.adapters import Predictor, load_into
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.explain.explain import explain
from lstta_tasks.explain.infer import infer
from lstta_tasks.finite import check_finite
from lstta_tasks.importances.measure import measure


@dataclass
class Held:
    value: Any


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(
    "hold",
    [
        lambda x: x,
        lambda x: [1, x],
        lambda x: {"a": ({"b": x},)},
        lambda x: torch.tensor([0.0, x]),
        lambda x: np.array([x, 0.0]),
        lambda x: np.float32(x),
        lambda x: Held(torch.tensor(x)),
    ],
)
def test_wherever_it_is(hold: Callable[[float], object], bad: float) -> None:
    with pytest.raises(NotFiniteError, match=r"^clip 7: the answer holds numbers that are NaN or infinite"):
        check_finite(hold(bad), "clip 7: the answer")
    check_finite(hold(1.0), "")


def test_what_holds_no_numbers() -> None:
    check_finite([None, "nan", True, 3, torch.tensor([1]), np.array(["x"]), Held], "")


@pytest.fixture
def broken(run: Path, tmp_path: Path) -> Path:
    """An adapter folder, as versions before wrote of a diverged run."""
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "adapter.json").write_bytes((run / "best" / "adapter.json").read_bytes())
    tensors = load_file(run / "best" / "adapter.safetensors")
    tensors["head.bias"][2] = float("nan")
    save_file(tensors, folder / "adapter.safetensors")
    return folder


class TestAnAdapterOfADivergedRun:
    def test_is_not_loaded(self, world: World, broken: Path) -> None:
        model = Experiment(load_config(world.config)).model
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        with pytest.raises(AdapterFileError, match=r"adapter.safetensors: head.bias holds numbers that are NaN"):
            load_into(model, read_adapter(broken))
        assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())

    def test_nor_tested_measured_or_asked(self, world: World, broken: Path, tmp_path: Path) -> None:
        config = load_config(world.config)
        write_film(tmp_path / "film.mp4")
        for ask in (
            lambda: evaluate(config, broken, "val"),
            lambda: measure(config, broken, "val"),
            lambda: infer(broken, tmp_path / "film.mp4", ["Is it loud?"], encoders=Experiment(config).encoders),
        ):
            with pytest.raises(AdapterFileError, match=r"head.bias holds numbers that are NaN or infinite"):
                ask()


class TestAModelThatAnswersNone:
    """Its weights are numbers, and what comes out is none, as where half precision overflows."""

    @pytest.fixture
    def predictor(self, world: World) -> Predictor:
        experiment = Experiment(load_config(world.config))
        head = experiment.model.get_submodule("head")
        head.register_forward_hook(lambda module, given, output: output * float("inf"))
        return Predictor(model=experiment.model, task=experiment.task, preprocessing=experiment.preprocessing)

    def test_neither_predicts_nor_explains(self, predictor: Predictor, tmp_path: Path) -> None:
        write_film(tmp_path / "film.mp4")
        with pytest.raises(NotFiniteError, match=r"film.mp4: what the model answers holds numbers that are NaN"):
            predictor.predict(tmp_path / "film.mp4", "Is it loud?")
        with pytest.raises(NotFiniteError, match=r"film.mp4: what the model answers holds numbers that are NaN"):
            explain(predictor, tmp_path / "film.mp4", ["Is it loud?"])

    def test_a_clip_of_many_is_named_with_the_reason(
        self, world: World, predictor: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("lstta_tasks.explain.infer.load", lambda *_, **__: predictor)
        write_film(tmp_path / "film.mp4")
        with pytest.raises(ValueError, match=r"film.mp4: what the model answers holds numbers that are NaN"):
            infer(tmp_path, tmp_path / "film.mp4", ["Is it loud?"])
