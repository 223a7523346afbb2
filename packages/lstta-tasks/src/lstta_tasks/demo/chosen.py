"""Which clip the demo's picture is of, and which questions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstta_tasks.adapters import load
from lstta_tasks.demo.picture import Asked, save_picture
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.explain.excerpt import read_media
from lstta_tasks.explain.explanation import explain_batch
from lstta_tasks.importances.relevance_file import RELEVANT_SECONDS, read_relevant_seconds

SHOWN = 4


def draw(config: str, data: Path, adapter: Path, results: Mapping[str, Mapping[str, Any]], picture: Path) -> None:
    """The first clip of test, whatever is answered of it, and its first questions.

    Args:
        config: of the demo.
        data: the folder of its clips.
        adapter: of the model whose importances are drawn.
        results: what ``lstta test --json`` wrote, of ``none`` among others.
        picture: the PNG file to write.
    """
    experiment, predictor = Experiment(load_config(config)), load(adapter)
    samples = experiment.task.samples("test")
    clip_id = samples[0].source.id
    asked = [sample for sample in samples if sample.source.id == clip_id][:SHOWN]
    items = [(sample, experiment.cache.read(clip_id)) for sample in asked]
    explanations = explain_batch(predictor.model, predictor.task, items, predictor.inputs(items))
    relevant = read_relevant_seconds(data / RELEVANT_SECONDS, "test", [sample.id for sample in samples])
    frozen = results["none"]["predictions"]
    shown = [
        Asked(explanation, sample.labels[-1], frozen[sample.id]["answer"], relevant[sample.id])
        for sample, explanation in zip(asked, explanations, strict=True)
    ]
    media = read_media(asked[0].source, predictor.preprocessing, items[0][1].duration)
    save_picture(media, shown, picture)
