"""Importances measured on a trained adapter: the orders are its own, and removal does what masks do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from small_world import World, rows

from lstta_core.interfaces import Modality
from lstta_core.prefix import suffix
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate, restore
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.importances.measure import measure
from lstta_tasks.importances.measured import ALL, TIMED
from lstta_tasks.importances.rankings import CHANCE, HIGHEST, IMPORTANCE, LOWEST, RANDOM
from lstta_tasks.importances.relevance_file import RELEVANT_SECONDS
from lstta_tasks.importances.removal import Segments, blanked, hidden, seen_segments
from lstta_tasks.network import TaskModel, TaskOutput
from lstta_tasks.training.train import train

T = 3


def test_curves_begin_with_what_evaluation_gives(world: World, run: Path) -> None:
    measured = measure(load_config(world.config), run / "best", "test", draws=2)
    report, details = evaluate(load_config(world.config), run / "best", "test")
    assert measured.metric == report.primary
    assert measured.samples == {ALL: details["samples"]}
    assert measured.agreement == {"importance": {}, "attention": {}}, "nobody knows which seconds matter here"
    by_order = {(curve.by, curve.way): curve.values for curve in measured.curves[ALL]}
    assert all(row[0] == report.value(report.primary) for values in by_order.values() for row in values)
    assert {len(row) for values in by_order.values() for row in values} == {T}
    assert len(by_order[CHANCE, RANDOM]) == 2


def test_one_segment_is_left_that_of_the_highest_or_lowest_importance(world: World, run: Path) -> None:
    """The last point of a curve, sample by sample."""
    config = load_config(world.config)
    measured = measure(config, run / "best", "val", draws=1)
    experiment = restore(config, run / "best")
    task, samples = experiment.task, experiment.task.samples("val")
    by_order = {(curve.by, curve.way): curve.values[0] for curve in measured.curves[ALL]}
    for way, pick in ((LOWEST, "argmax"), (HIGHEST, "argmin")):
        predictions: dict[str, Any] = {}
        for i, sample in enumerate(samples):
            inputs = batch(experiment, i)
            kept = {}
            for m, importances in answer(experiment, inputs).importances.items():
                importances = importances.masked_fill(~seen_segments(inputs)[m], float("nan"))
                left = int(getattr(np, f"nan{pick}")(importances[0].numpy()))
                kept[m] = torch.arange(T)[None] == left
            predictions[sample.id] = task.answer.predict(answer(experiment, inputs, kept).output)[0]
        report = task.answer.report(predictions, samples)
        assert by_order[IMPORTANCE, way][-1] == pytest.approx(report.value(report.primary))


def batch(experiment: Experiment, *places: int) -> Any:
    dataset = experiment.dataset("val")
    return experiment.collate([dataset[i] for i in places])["inputs"]  # type: ignore[arg-type, misc]


def answer(experiment: Experiment, inputs: Any, kept: Segments | None = None) -> TaskOutput:
    model = experiment.model.eval()
    assert isinstance(model, TaskModel)
    present = {m: given["present"] for m, given in inputs.items()}
    with torch.no_grad():
        if kept is None:
            return model(inputs)  # type: ignore[no-any-return]
        output = suffix(model.trimodal, hidden(model.trimodal.prefix(blanked(inputs, kept)), kept), present)
        return TaskOutput(model.head(model.readout(output)), output.importances[-1])


@pytest.fixture
def experiment(world: World, run: Path) -> Experiment:
    return restore(load_config(world.config), run / "best")


KEPT = {
    Modality.VISUAL: torch.tensor([[True, False, True], [False, True, True]]),
    Modality.AUDIO: torch.tensor([[False, True, False], [True, False, True]]),
}


def test_content_of_removed_segments_does_not_matter(experiment: Experiment) -> None:
    """The audio encoder reads clips as wholes."""
    inputs = batch(experiment, 0, 4)
    other = {m: dict(given) for m, given in inputs.items()}
    for m, name in ((Modality.VISUAL, "frames"), (Modality.AUDIO, "sound")):
        flipped = other[m][name].flip(-1)
        mask = KEPT[m].reshape(2, T, *(1 for _ in flipped.shape[2:]))
        other[m][name] = torch.where(mask, other[m][name], flipped)
    removed = answer(experiment, inputs, KEPT)
    assert torch.equal(removed.output, answer(experiment, other, KEPT).output)
    assert not torch.equal(removed.output, answer(experiment, inputs).output)
    for m, kept in KEPT.items():
        assert (removed.importances[m][~kept] == 1).all(), "nothing is said of a segment that holds nothing"


def test_frames_are_removed_as_collation_masks_those_that_a_clip_lacks(experiment: Experiment) -> None:
    """To the bit, where the encoder reads frames by themselves."""
    inputs = batch(experiment, 0, 4)
    kept = KEPT[Modality.VISUAL]
    lacking = {m: dict(given) for m, given in inputs.items()}
    visual = lacking[Modality.VISUAL]
    visual["frames"] = visual["frames"] * kept[..., None, None, None, None]
    visual["mask"] = visual["mask"] & kept[..., None]
    removed = answer(experiment, inputs, {Modality.VISUAL: kept})
    assert torch.equal(removed.output, answer(experiment, lacking).output)


def test_removing_nothing_changes_nothing(experiment: Experiment) -> None:
    inputs = batch(experiment, 0, 4)
    everything = {m: torch.ones_like(kept) for m, kept in KEPT.items()}
    assert torch.equal(answer(experiment, inputs, everything).output, answer(experiment, inputs).output)


def test_a_method_without_importances(world: World, tmp_path: Path) -> None:
    config = load_config(world.config, {"method.long_term": False, "train_cfg.max_epochs": 1})
    train(config, work_dir=tmp_path)
    with pytest.raises(ValueError, match="the method 'lstta' gives no importances"):
        measure(config, tmp_path / "best", "val")


def test_some_points_of_the_curves(world: World, run: Path) -> None:
    config = load_config(world.config)
    every = measure(config, run / "best", "val", draws=1)
    some = measure(config, run / "best", "val", draws=1, removed=[2])
    assert (every.removed, some.removed) == ((0, 1, 2), (0, 2))
    for curve, other in zip(every.curves[ALL], some.curves[ALL], strict=True):
        assert other.values == ((curve.values[0][0], curve.values[0][2]),)


@pytest.mark.parametrize("removed", [[0, 1], [2, 1], [1, 3], [1, 1]])
def test_so_many_cannot_be_removed(world: World, run: Path, removed: list[int]) -> None:
    with pytest.raises(ValueError, match="of 3 segments 1 … 2 can be removed, in rising numbers; got"):
        measure(load_config(world.config), run / "best", "val", removed=removed)


def test_not_even_once_at_random(world: World, run: Path) -> None:
    with pytest.raises(ValueError, match="once at least, got draws=0"):
        measure(load_config(world.config), run / "best", "val", draws=0)


@pytest.fixture
def beside(world: World, tmp_path: Path) -> Callable[[dict[str, Any]], Config]:
    """Writes the relevant seconds of test beside a copy of the data set; gives a config for it."""

    def write(test: dict[str, Any]) -> Config:
        root = tmp_path / "root"
        shutil.copytree(world.root, root)
        (root / RELEVANT_SECONDS).write_text(json.dumps({"schema": 1, "splits": {"test": test}}))
        return load_config(world.config, {"task.root": str(root)})

    return write


Beside = Callable[[dict[str, Any]], Config]


def test_agreement_with_the_seconds_of_a_file(beside: Beside, run: Path) -> None:
    """Films of one second in three segments; two of the questions about the first of them."""
    first, second, third = (str(row["question_id"]) for row in rows("test")[:3])
    config = beside(
        {
            first: {"visual": [[0.0, 0.3]], "audio": [], "group": "places"},
            second: {"visual": [[0.3, 0.6]], "group": "times"},
            third: {"visual": [[0.0, 1.0]], "language": [[0.0, 0.2]]},
        }
    )
    measured = measure(config, run / "best", "test", draws=1, removed=[1])
    for by_modality in measured.agreement.values():
        assert {m: {group: part.samples for group, part in parts.items()} for m, parts in by_modality.items()} == {
            "visual": {"": 2, "places": 1, "times": 1}
        }
    assert measured.samples == {ALL: 9, TIMED: 2}
    explanation = restore(config, run / "best")
    batch = next(iter(explanation.loader("test", explanation.dataset("test"))))
    importances = answer(explanation, batch["inputs"]).importances
    places = [batch["ids"].index(sample) for sample in (first, second)]
    values = [importances[Modality.VISUAL][place].double() for place in places]
    multiples = [float(numbers[segment] / numbers.mean()) for segment, numbers in enumerate(values)]
    assert measured.agreement["importance"]["visual"][""].relevant.value == pytest.approx(np.mean(multiples))


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ({"7": {"visual": [[0, 1]]}}, r"relevant_seconds.json: the split 'test' has no sample '7', its 9 samples are"),
        (
            {"first": {"audio": [[0.2, 2.5]]}},
            r"sample '\d+': the audio span \[0.2, 2.5\] ends after the clip.*lasts 1 s",
        ),
    ],
)
def test_a_file_that_does_not_fit(beside: Beside, run: Path, test: dict[str, Any], message: str) -> None:
    first = str(rows("test")[0]["question_id"])
    with pytest.raises(ValueError, match=message):
        measure(beside({sample.replace("first", first): entry for sample, entry in test.items()}), run / "best", "test")
