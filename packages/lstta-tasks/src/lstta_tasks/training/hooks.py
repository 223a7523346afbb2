"""Small hooks: seeds, and what people see while it trains."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tqdm import tqdm

from lstta_tasks.data.dataset import SampleDataset
from lstta_tasks.experiment.metric import TaskMetric
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.runner_model import RunnerModel
from lstta_tasks.prefix.dataset import PrefixDataset


class SeedHook(Hook):
    """Seeds every training step from (seed, rank, step): a resumed run then draws the numbers of the whole one.

    Saving generators' states instead is not enough, since validation draws numbers after the save.

    Args:
        seed: of the config.
    """

    def __init__(self, *, seed: int) -> None:
        self.seed = seed

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        words = np.random.SeedSequence([self.seed, runner.rank, runner.iter]).generate_state(3)
        torch.manual_seed(int(words[0]))
        np.random.seed(int(words[1]))  # noqa: NPY002 — libraries that draw from the global generator
        random.seed(int(words[2]))


class ProgressHook(Hook):
    """A bar over each epoch, where there is a terminal, and one line after each validation.

    Args:
        metric: of the validation.
    """

    priority = "LOW"

    def __init__(self, *, metric: TaskMetric) -> None:
        self.metric = metric
        self.bar: tqdm[Any] | None = None
        self.losses: list[float] = []

    def before_train_epoch(self, runner: Runner) -> None:
        self.losses = []
        if is_main_process():
            total = len(runner.train_dataloader)
            self.bar = tqdm(
                total=total, desc=f"epoch {runner.epoch + 1}/{runner.max_epochs}", disable=None, leave=False
            )

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        if self.bar is not None and outputs is not None:
            self.losses.append(outputs["loss"].item())
            self.bar.update()
            self.bar.set_postfix(loss=f"{np.mean(self.losses[-50:]):.3f}", refresh=False)

    def after_train_epoch(self, runner: Runner) -> None:
        if self.bar is not None:
            self.bar.close()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        report = self.metric.report
        if is_main_process() and report is not None:
            train = f"train loss {np.mean(self.losses):.3f}, " if self.losses else ""
            value = report.value(report.primary)
            print(f"epoch {runner.epoch}/{runner.max_epochs}: {train}val {report.primary} {value:.4f}", flush=True)


class PictureHook(Hook):
    """After each validation, the first sample of some clips as :mod:`lstta_tasks.explain.picture` draws it.

    Args:
        experiment: whose task, cache and collation these are.
        dataset: of the validation.
        model: with the network.
        clips: how many are shown.
    """

    def __init__(
        self, *, experiment: Experiment, dataset: SampleDataset | PrefixDataset, model: RunnerModel, clips: int = 3
    ) -> None:
        self.experiment = experiment
        self.dataset = dataset
        self.model = model
        first: dict[str, int] = {}
        for place, sample in enumerate(dataset.samples):
            first.setdefault(sample.source.id, place)
        self.places = list(first.values())[:clips]

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        if not is_main_process():
            return
        # Drawing is loaded when there is something to draw.
        from lstta_tasks.explain.excerpt import media_of
        from lstta_tasks.explain.explanation import explain_batch
        from lstta_tasks.explain.picture import picture

        cache = self.experiment.cache
        samples = [self.dataset.samples[place] for place in self.places]
        clips = [cache.read(sample.source.id) for sample in samples]
        items: list[Any] = [self.dataset[place] for place in self.places]  # clips, or their states
        inputs = self.model.data_preprocessor(self.experiment.collate(items), False)["inputs"]
        shown = list(zip(samples, clips, strict=True))
        explained = explain_batch(self.model.model, self.experiment.task, shown, inputs)
        for place, (explanation, clip) in enumerate(zip(explained, clips, strict=True)):
            drawn = picture(explanation, media_of(clip, cache.preprocessing))
            runner.visualizer.add_image(f"val/explained/{place}", drawn, step=runner.epoch)
