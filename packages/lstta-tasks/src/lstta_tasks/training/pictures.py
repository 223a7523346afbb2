"""Hooks of a training that draw: pictures of a few clips, and the confusion matrix, after each validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmengine.dist import is_distributed, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from lstta_tasks.answers.each_segment import EachSegment
from lstta_tasks.data.features import needs_clips
from lstta_tasks.experiment.parts import AnyDataset, Experiment
from lstta_tasks.experiment.runner import RunnerModel, TaskMetric
from lstta_tasks.task import Sample, Task


def truth_of(task: Task, sample: Sample) -> str | None:
    """A sample's true answer in words; None of kinds that rank, where it is the clip itself."""
    if task.answer.ranks:
        return None
    if isinstance(task.answer, EachSegment):
        return task.answer.in_words(task.answer.right(sample))
    truth = task.answer.outcome(sample, task.answer.right(sample)).truth
    return f"{truth:+.2f}" if isinstance(truth, float) else ", ".join(truth) if isinstance(truth, list) else str(truth)


@dataclass(eq=False)
class ConfusionHook(Hook):
    """After each validation of a task that picks from classes, the confusion matrix as a picture.

    Attributes:
        task: whose answers these are.
        metric: of the validation.
    """

    task: Task
    metric: TaskMetric

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        if not is_main_process() or not self.task.answer.classes:
            return
        from lstta_tasks.answers.class_table import class_table, each_class
        from lstta_tasks.explain.confusion import picture

        predictions, answer = self.metric.predictions, self.task.answer
        samples = [sample for sample in self.metric.samples if sample.id in predictions]
        outcomes = [answer.outcome(sample, predictions[sample.id]) for sample in samples]
        truth, said = each_class([o.truth for o in outcomes], [o.prediction for o in outcomes])
        table = class_table(truth, said, answer.classes)
        drawn = picture(table, f"val, {len(samples):,} samples: truth and what was said")
        runner.visualizer.add_image("val/confusion", drawn, step=runner.train_loop.place)


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
        if self.experiment.config.model.get("shard") and is_distributed():  # the first rank has a part of the model
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
        for place, (explanation, (sample, clip)) in enumerate(zip(explained, shown, strict=True)):
            drawn = picture(explanation, media_of(clip, cache.preprocessing), truth_of(self.experiment.task, sample))
            runner.visualizer.add_image(f"val/explained/{place}", drawn, step=runner.train_loop.place)
