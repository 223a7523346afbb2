"""Predictions of several processes, keyed by id, give one report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from small_world import World

from lstta_tasks.data.clip import ClipSource
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.runner import RunnerModel, TaskMetric
from lstta_tasks.task import Sample
from lstta_tasks.tasks.avqa import AVQA


def result(name: str, answer: str, loss: float = 1.0) -> dict[str, Any]:
    return {"id": name, "prediction": {"answer": answer, "probability": 0.5}, "loss": loss}


def samples(truths: str) -> list[Sample]:
    source = ClipSource("clip", Path("clip.mp4"))
    return [
        Sample(id=str(i), source=source, text="?", target="ny".index(truth), labels=("Audio", "Counting", truth))
        for i, truth in enumerate(truths)
    ]


def test_repeated_samples_count_once() -> None:
    """Samplers repeat some, so that every process has the same number."""
    metric = TaskMetric(task=AVQA(answers=["n", "y"]), samples=samples("yny"))
    metric.process(None, [result("0", "y"), result("1", "y"), result("2", "y", 4.0)])
    metric.process(None, [result("0", "y")])
    found = metric.evaluate(3)
    assert metric.report is not None
    assert found == {
        "val/loss": 2.0,
        "val/Audio/Counting": 2 / 3,
        "val/Audio": 2 / 3,
        "val/macro_f1": 2 / 5,
        "val/weighted_f1": 8 / 15,
        "val/overall": 2 / 3,
    }
    assert metric.report.scores[-1].count == 3
    assert metric.predictions["1"] == {"answer": "y", "probability": 0.5}


def test_an_evaluation_forgets_the_one_before() -> None:
    metric = TaskMetric(task=AVQA(answers=["n", "y"]), samples=samples("yn"))
    for answers, accuracy in (("yy", 0.5), ("yn", 1.0), ("nn", 0.5)):
        metric.process(None, [result(str(i), answer) for i, answer in enumerate(answers)])
        assert metric.evaluate(2)["val/overall"] == accuracy


class TestRunnerModel:
    @pytest.fixture
    def parts(self, world: World) -> tuple[RunnerModel, dict[str, Any]]:
        experiment = Experiment(load_config(world.config))
        batch = next(iter(experiment.loader("val", experiment.dataset("val"))))
        return RunnerModel(model=experiment.model, task=experiment.task).eval(), batch

    def test_modes_agree(self, parts: tuple[RunnerModel, dict[str, Any]]) -> None:
        model, batch = parts
        output, loss, predictions = (model(**batch, mode=mode) for mode in ("tensor", "loss", "predict"))
        assert output.shape == (4, 5)
        torch.testing.assert_close(loss["loss"], torch.nn.functional.cross_entropy(output, batch["target"]))
        assert [one["id"] for one in predictions] == batch["ids"]
        assert [one["prediction"] for one in predictions] == model.task.answer.predict(output)
        own = torch.nn.functional.cross_entropy(output, batch["target"], reduction="none")
        assert [one["loss"] for one in predictions] == pytest.approx(own.tolist())
        assert [one["weight"] for one in predictions] == [1.0] * 4
