"""Pictures of validation clips are those of the same model, clip and text."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from children import true_pictures
from small_world import World

from lstta_tasks.adapters import Predictor
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.runner import RunnerModel
from lstta_tasks.explain.excerpt import media_of
from lstta_tasks.explain.explain import explain
from lstta_tasks.explain.picture import picture
from lstta_tasks.training.pictures import PictureHook


def test_the_first_sample_of_each_of_the_first_clips(world: World) -> None:
    experiment = Experiment(load_config(world.config))
    network = experiment.model.eval()
    dataset = experiment.dataset("val")
    hook = PictureHook(
        experiment=experiment, dataset=dataset, model=RunnerModel(model=network, task=experiment.task), clips=2
    )
    shown: dict[str, Any] = {}
    keep = SimpleNamespace(add_image=lambda name, image, step: shown.update({name: (image, step)}))
    with true_pictures():
        hook.after_val_epoch(SimpleNamespace(visualizer=keep, train_loop=SimpleNamespace(place=7)))  # type: ignore[arg-type]
    assert list(shown) == ["val/explained/0", "val/explained/1"]

    predictor = Predictor(model=network, task=experiment.task, preprocessing=experiment.preprocessing)
    clips = list(dict.fromkeys(sample.source.id for sample in dataset.samples))[:2]
    for (image, step), clip in zip(shown.values(), clips, strict=True):
        sample = next(sample for sample in dataset.samples if sample.source.id == clip)
        assert sample.source.video is not None
        (alone,) = explain(predictor, sample.source.video, [sample.text or ""], name=clip)
        truth = experiment.task.answer.names(sample.target)[0]
        expected = picture(alone, media_of(experiment.cache.read(clip), experiment.preprocessing), truth)
        assert step == 7
        assert image.shape == expected.shape
        assert (np.abs(image.astype(int) - expected).max(-1) > 8).mean() < 0.01
