"""Through a split in batches, without gradients: evaluation, the second pass, and whatever looks at a trained model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import torch
from mmengine.dist import is_main_process
from torch import nn
from tqdm import tqdm

from lstta_core.fast_linear import fast_linear
from lstta_tasks.data.batch import Batch
from lstta_tasks.device import device_of
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.runner import RunnerModel

Result = TypeVar("Result")


def ready(experiment: Experiment, where: str | None = None) -> RunnerModel:
    """The experiment's network on a device, in evaluation mode."""
    model = RunnerModel(model=experiment.model, task=experiment.task)
    model.to(device_of(where)).eval()
    return model


def place_for(where: str | None, *, amp: bool) -> torch.device:
    """Where a training runs, see :func:`~lstta_tasks.device.device_of`.

    Raises:
        ValueError: there is no such device, or it has no mixed precision.
    """
    place = device_of(where)
    if amp and place.type != "cuda":
        raise ValueError("--amp needs a GPU; on a CPU leave it out")
    return place


def on_cpu(model: nn.Module) -> bool:
    """Whether a model computes there, where ``fast_linear`` is for."""
    return next(model.parameters()).device.type == "cpu"


def through(
    experiment: Experiment, batches: Iterable[Batch], step: Callable[[Batch], Result], what: str
) -> list[Result]:
    """What a step gives for each batch, with a bar on the first rank.

    Args:
        experiment: whose batches these are.
        batches: of its loader.
        step: is given a batch as the loader gives it, such as :meth:`RunnerModel.test_step`.
        what: for the bar.
    """
    # A compiled graph would break at every operation that the mode of fast_linear watches.
    quiet = None if is_main_process() else True
    fast = on_cpu(experiment.model) and not experiment.compiled
    with torch.no_grad(), fast_linear(enabled=fast):
        return [step(batch) for batch in tqdm(batches, desc=what, leave=None, disable=quiet)]
