"""What a training will cost: everything is built and a step is taken, and nothing is written."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lstta_core.fast_linear import fast_linear
from lstta_core.profiling import measure
from lstta_tasks.adapters import start_from
from lstta_tasks.annotations.reading import each_split
from lstta_tasks.experiment.batches import place_for
from lstta_tasks.experiment.length import length_of
from lstta_tasks.experiment.loss import training_loss
from lstta_tasks.experiment.param_scheduler import check_ends
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.record import card, record_of
from lstta_tasks.experiment.runner import RunnerModel, optim_wrapper, schedulers_of
from lstta_tasks.finite import check_finite
from lstta_tasks.how_long import in_words
from lstta_tasks.task import Split
from lstta_tasks.training.resume import check_fits, settings_of_run
from lstta_tasks.training.run_folder import where_to_begin

if TYPE_CHECKING:
    from mmengine.config import Config

SHORT = 1.0
"""Seconds: shorter steps are taken a few more times, since the first one of a process takes longer."""


@dataclass(frozen=True)
class Cost:
    """Of a training.

    Attributes:
        left: steps that are left to do.
        steps: of an epoch.
        batches: of a validation.
        validations: how many there will be.
        step: seconds, with what loading adds to it.
        batch: seconds of one batch of a validation, likewise.
        resident_bytes: of weights, buffers and the optimizer's state.
        step_bytes: what a step needs on top of those.
        trainable: parameters.
        parameters: all of them.
    """

    left: int
    steps: int
    batches: int
    validations: int
    step: float
    batch: float
    resident_bytes: int
    step_bytes: int
    trainable: int
    parameters: int

    @property
    def seconds(self) -> float:
        """Of the whole training."""
        return self.left * self.step + self.validations * self.batches * self.batch

    def __str__(self) -> str:
        share = self.trainable / self.parameters
        return "\n".join(
            (
                f"trainable parameters: {self.trainable:,} of {self.parameters:,} ({share:.1%})",
                f"{self.left / self.steps:,.3g} epochs of {self.steps:,} steps, {self.left:,} steps in all; "
                f"{self.validations:,} validations of {self.batches:,} batches",
                f"a step: {self.step:.2f} s; a batch of a validation: {self.batch:.2f} s",
                f"memory: {self.resident_bytes / 1e6:,.0f} MB of weights and optimizer, and "
                f"{self.step_bytes / 1e6:,.0f} MB more in a step",
                f"the whole training: about {in_words(self.seconds)}",
            )
        )


def dry_run(
    config: Config,
    *,
    work_dir: Path,
    resume: bool = False,
    amp: bool = False,
    start: Path | None = None,
    where: str | None = None,
) -> Cost:
    """Build all that a training needs, take a step or a few, and say what the whole will cost. Nothing is written.

    Args:
        config: from :func:`~lstta_tasks.experiment.config.load_config`.
        work_dir: that the training would write into.
        resume: whether it would go on with what is there.
        amp: as for :func:`~lstta_tasks.training.train.train`.
        start: likewise.
        where: likewise, its device.

    Raises:
        ValueError: as the training itself.
        NotFiniteError: the loss of the first step is NaN or infinite.
    """
    place = place_for(where, amp=amp)
    checkpoint = where_to_begin(work_dir, resume=resume)
    torch.manual_seed(config.seed)
    workers, config.loader.workers = config.loader["workers"], 0
    experiment = Experiment(config)
    splits: tuple[Split, ...] = ("train", "val")
    datasets = each_split(experiment.dataset, splits)
    model = experiment.model
    loss = training_loss(experiment, datasets["train"].samples)
    loaders = {s: experiment.loader(s, dataset, training=s == "train") for s, dataset in datasets.items()}
    steps, length, done = len(loaders["train"]), length_of(config), 0
    if config.get("param_scheduler") is not None:
        check_ends(schedulers_of(config), epochs=length.epochs(steps), steps=steps)
    if checkpoint is not None:
        config.loader.workers = workers
        settings = settings_of_run(config, amp=amp)
        check_fits(checkpoint, model, card(record_of(experiment), model), settings, seed=config.seed, steps=steps)
        done = checkpoint.validated
    elif start is not None:
        start_from(model, start, record_of(experiment))
    wrapper = optim_wrapper(config, model, place, amp=amp)
    runner_model = RunnerModel(model=model, task=experiment.task, loss=loss).to(place)
    batches, loading = {}, {}
    for split, loader in loaders.items():
        began = time.perf_counter()
        batches[split] = next(iter(loader))
        loading[split] = time.perf_counter() - began

    def step() -> None:
        loss = runner_model.train_step(batches["train"], wrapper)["loss"]
        check_finite({"loss": loss.item()}, "the first step of a dry run")

    with fast_linear(enabled=place.type == "cpu" and not experiment.compiled):
        runner_model.train()
        taken, step_bytes = _measured(step, place)
        runner_model.eval()
        with torch.no_grad():
            asked, _ = _measured(lambda: runner_model.test_step(batches["val"]), place)
    left = max(length.count - done, 0)  # in epochs or in steps, as validations are
    state = (value for values in wrapper.optimizer.state.values() for value in values.values())
    return Cost(
        left=left * steps if length.by_epoch else left,
        steps=steps,
        batches=len(loaders["val"]),
        validations=math.ceil(left / config.train_cfg.get("val_interval", 1)),
        step=_with_loading(taken, loading["train"], workers),
        batch=_with_loading(asked, loading["val"], workers),
        resident_bytes=_bytes([*model.parameters(), *model.buffers(), *state]),
        step_bytes=step_bytes,
        trainable=sum(p.numel() for p in model.parameters() if p.requires_grad),
        parameters=sum(p.numel() for p in model.parameters()),
    )


def _measured(call: Callable[[], object], place: torch.device) -> tuple[float, int]:
    """Seconds and bytes of one call."""
    once = measure(call, device=place, repeats=1, warmup=0)
    if once.median > SHORT:
        return once.median, once.peak_bytes
    return measure(call, device=place, repeats=3, warmup=0).median, once.peak_bytes


def _with_loading(seconds: float, loading: float, workers: int) -> float:
    """Of a step whose batch the loader's workers make while the one before is computed, or else it is made first."""
    return max(seconds, loading / workers) if workers else seconds + loading


def _bytes(tensors: Iterable[Any]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors if isinstance(tensor, Tensor))
