"""A hook of a training: pictures of a few clips after each validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from lstta_tasks.data.features import needs_clips
from lstta_tasks.experiment.parts import AnyDataset, Experiment
from lstta_tasks.experiment.runner import RunnerModel


@dataclass(eq=False)
class PictureHook(Hook):
    """After each validation, the first sample of some clips as :mod:`lstta_tasks.explain.picture` draws it.

    Attributes:
        experiment: whose task, cache and collation these are.
        dataset: of the validation.
        model: with the network.
        clips: how many are shown.
    """

    experiment: Experiment
    dataset: AnyDataset
    model: RunnerModel
    clips: int = 3

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        if not is_main_process() or not needs_clips(self.experiment.used):  # features look like nothing
            return
        # Drawing is loaded when there is something to draw.
        from lstta_tasks.explain.excerpt import media_of
        from lstta_tasks.explain.explanation import explain_batch
        from lstta_tasks.explain.picture import picture

        first: dict[str, int] = {}
        for place, sample in enumerate(self.dataset.samples):
            first.setdefault(sample.source.id, place)
        places = list(first.values())[: self.clips]
        cache = self.experiment.cache
        samples = [self.dataset.samples[place] for place in places]
        clips = [cache.read(sample.source.id) for sample in samples]
        items: list[Any] = [self.dataset[place] for place in places]  # clips, or their states
        inputs = self.model.data_preprocessor(self.experiment.collate(items), False)["inputs"]
        shown = list(zip(samples, clips, strict=True))
        explained = explain_batch(self.model.model, self.experiment.task, shown, inputs)
        for place, (explanation, clip) in enumerate(zip(explained, clips, strict=True)):
            drawn = picture(explanation, media_of(clip, cache.preprocessing))
            runner.visualizer.add_image(f"val/explained/{place}", drawn, step=runner.train_loop.place)
