"""What MMEngine's runner is given: a task's network, its metrics, its optimizer, the learning rate's course."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.optim import AmpOptimWrapper, CosineAnnealingLR, LinearLR, OptimWrapper
from torch import Tensor

from lstta_core.interfaces import Inputs
from lstta_core.rates import FULL, parameter_groups
from lstta_tasks.answers.shaped_loss import Loss
from lstta_tasks.device import half_of
from lstta_tasks.experiment.concluding import Scorer, concluded
from lstta_tasks.experiment.factories import call, callable_of, plain
from lstta_tasks.experiment.length import length_of
from lstta_tasks.finite import check_finite
from lstta_tasks.in_section import in_section
from lstta_tasks.network import TaskNetwork
from lstta_tasks.task import Predictions, Report, Sample, Task

CPU = torch.device("cpu")
Decay = Literal["cosine", "linear", "none"]


class RunnerModel(BaseModel):
    """Loss or predictions of a batch.

    Args:
        model: the task's network.
        task: whose loss and predictions these are.
        marks_steps: whether to tell CUDA graphs, which ``torch.compile`` may make, where a step begins.
        loss: of a training, in place of the task's own.

    Attributes:
        tells_choices: whether predictions come with the probabilities of all that there was to choose from.
    """

    tells_choices: bool = False

    def __init__(self, *, model: TaskNetwork, task: Task, marks_steps: bool = False, loss: Loss | None = None) -> None:
        super().__init__()
        self.training_loss = loss
        self.marks_steps = marks_steps
        self.model = model
        self.task = task

    def forward(
        self, inputs: Inputs, target: Tensor, ids: list[str], mode: str = "tensor"
    ) -> dict[str, Tensor] | list[dict[str, Any]] | Any:
        """A batch of :class:`~lstta_tasks.data.batch.Collate`.

        Args:
            inputs: by modality.
            target: (B,), or with more axes, see :class:`~lstta_tasks.sample.Sample`.
            ids: the samples'.
            mode: ``"loss"`` for ``{"loss": ()}``, ``"predict"`` for one dict a sample (id, prediction, loss and
                what it counts in the mean), ``"tensor"`` for the network's output.
        """
        if self.marks_steps:
            torch.compiler.cudagraph_mark_step_begin()
        result = self.model(inputs, target)
        if mode == "loss":
            return {"loss": (self.training_loss or self.task.answer.loss)(result.output, target)}
        if mode == "tensor":
            return result.output
        with torch.no_grad():
            losses = [numbers.tolist() for numbers in self.task.answer.losses(result.output, target)]
        rows = zip(ids, self.task.answer.predict(result.output), *losses, strict=True)
        told = [dict(zip(("id", "prediction", "loss", "weight"), row, strict=True)) for row in rows]
        if self.tells_choices:
            for row, answer in zip(told, self.task.answer.describe(result.output), strict=True):
                row["choices"] = answer.choices or answer.segments
        return told


class TaskMetric(BaseMetric):
    """Gathers predictions from all processes, keyed by sample id, and has the task report on them.

    Samples that a sampler repeated to give every process the same number count once.

    Args:
        task: whose metrics these are.
        samples: of the split.
        scorer: of the samples of a second pass, see :func:`~lstta_tasks.experiment.second_pass.score_again`; where the
            task wants one, all processes call it.

    Attributes:
        report: of the last evaluation; None before the first, and on all ranks but the first.
        predictions: of the last evaluation, by sample id; on the first rank only.
        choices: likewise, the probabilities of all choices, where the network was to tell them.
    """

    def __init__(self, *, task: Task, samples: Sequence[Sample], scorer: Scorer | None = None) -> None:
        # "gpu" gathers through the processes' own connection, also on a CPU; "cpu" would need a folder that all share.
        super().__init__(collect_device="gpu", prefix="val")
        self.task = task
        self.samples = samples
        self.scorer = scorer
        self.report: Report | None = None
        self.predictions: Predictions = {}
        self.choices: dict[str, Mapping[str, float]] = {}

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        self.results.extend(data_samples)

    def evaluate(self, size: int) -> dict[str, float]:
        """The metrics, on every rank: first those of the first pass, then the task's.

        Raises:
            NotFiniteError: the loss, a prediction or a score is NaN or infinite; on every rank.
        """
        metrics: dict[str, float] = super().evaluate(size)
        check_finite(metrics, f"{self.task.name}: the mean loss of {len(self.samples):,} samples")
        self.predictions, self.report, values = concluded(self.task, self.predictions, self.samples, self.scorer)
        return metrics | {f"{self.prefix}/{name}": value for name, value in values.items()}

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        self.predictions = {result["id"]: result["prediction"] for result in results}
        self.choices = {result["id"]: result["choices"] for result in results if result.get("choices")}
        weighed = [(result.get("weight", 1.0), result["loss"]) for result in results]
        total = sum(weight for weight, _ in weighed)
        # A sample that counts for nothing may have any loss.
        return {"loss": sum(weight * loss for weight, loss in weighed if weight) / (total or 1.0)}


def optim_wrapper(
    config: Config, model: torch.nn.Module, device: torch.device = CPU, *, amp: bool = False
) -> OptimWrapper:
    """The optimizer over what trains and nothing else, with the rate of each matrix by its inputs.

    Mixed precision is in the half that the device computes; with float16 the loss is scaled.
    """
    options = plain(config.optim_wrapper)
    optimizer_options = options.pop("optimizer")
    factory = callable_of("optim_wrapper.optimizer", optimizer_options.pop("type"))
    full, paramwise = options.pop("full_rate_inputs", FULL), options.pop("paramwise_cfg", None)
    if "lr" not in optimizer_options:
        raise ValueError("optim_wrapper.optimizer.lr is missing: the rate of each weight matrix is made of it")
    try:
        groups = parameter_groups(model, lr=optimizer_options["lr"], full=full)
    except ValueError as error:
        raise ValueError(f"optim_wrapper.full_rate_inputs: {error}") from error
    if paramwise:
        from lstta_tasks.experiment.paramwise import split_groups

        groups = split_groups(groups, model, paramwise, decay=optimizer_options.get("weight_decay"))
    with in_section("optim_wrapper.optimizer", optimizer_options):
        optimizer = call(factory, "optim_wrapper.optimizer", {"params": groups, **optimizer_options})
    in_float16 = config.model.get("frozen_dtype") == "float16"
    if amp:
        return AmpOptimWrapper(optimizer=optimizer, dtype=torch.float16 if in_float16 else half_of(device), **options)
    if in_float16:
        from lstta_tasks.experiment.float16 import ScaledOptimWrapper

        return ScaledOptimWrapper(optimizer=optimizer, device=device.type, **options)
    return OptimWrapper(optimizer=optimizer, **options)


def course(
    length: int,
    *,
    by_epoch: bool = True,
    warmup_steps: int | None = None,
    warmup_epochs: int | None = None,
    decay: Decay = "cosine",
) -> list[dict[str, Any]]:
    """MMEngine's schedulers of a whole training.

    Args:
        length: of the training, in epochs or steps; the decay ends with it.
        by_epoch: which of the two.
        warmup_steps: over so many steps the rate rises linearly from a hundredth.
        warmup_epochs: likewise, in place of ``warmup_steps``.
        decay: ``"cosine"`` or ``"linear"`` to zero over the whole length, or ``"none"``.

    Raises:
        ValueError: an argument is out of range, or both warm-ups are given.
    """
    if decay not in get_args(Decay):
        raise ValueError(f"schedule.decay: one of {', '.join(get_args(Decay))} is wanted, got {decay!r}")
    if warmup_steps is not None and warmup_epochs is not None:
        raise ValueError(
            f"schedule: warmup_steps={warmup_steps} and warmup_epochs={warmup_epochs}: give one of the two"
        )
    for name, value in (("warmup_steps", warmup_steps), ("warmup_epochs", warmup_epochs)):
        if value is not None and (not isinstance(value, int) or value < 0):
            raise ValueError(f"schedule.{name}: a number of 0 or more is wanted, got {value!r}")
    schedulers: list[dict[str, Any]] = []
    warmup = {"type": LinearLR, "start_factor": 0.01, "begin": 0}
    if warmup_steps:
        schedulers.append({**warmup, "by_epoch": False, "end": warmup_steps})
    if warmup_epochs:
        schedulers.append({**warmup, "by_epoch": True, "end": warmup_epochs, "convert_to_iter_based": True})
    whole = {"by_epoch": by_epoch, "begin": 0, "end": length, **({"convert_to_iter_based": True} if by_epoch else {})}
    if decay == "cosine":
        schedulers.append({"type": CosineAnnealingLR, "T_max": length, **whole})
    elif decay == "linear":
        schedulers.append({"type": LinearLR, "start_factor": 1.0, "end_factor": 0.0, **whole})
    return schedulers


def schedulers_of(config: Config) -> list[dict[str, Any]]:
    """What a config says of the learning rate, as MMEngine's runner wants it. Raises as :func:`course` does."""
    if config.get("schedule") is not None:
        length = length_of(config)
        return course(length.count, by_epoch=length.by_epoch, **plain(config.schedule))
    return [plain(scheduler) for scheduler in config.get("param_scheduler") or ()]
