"""The whole model of a task: three frozen encoders with adapters between their blocks, the readout, the last layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from lstta_core.budget import MethodChoice, create_method
from lstta_core.interfaces import Encoder, Modality
from lstta_core.readout import Readout
from lstta_core.trimodal import Inputs, TrimodalModel, TrimodalOutput
from lstta_tasks.task import Task

ADAPTER = "default"
FROZEN = "trimodal.encoders."
"""Prefix of the names of the encoders' state."""


@dataclass(frozen=True)
class TaskOutput:
    """What the model gives for a batch.

    Attributes:
        output: of the task's head.
        trimodal: what the encoders and adapters gave, importances included.
    """

    output: Tensor
    trimodal: TrimodalOutput


class TaskModel(nn.Module):
    """Encoders, adapters, readout and head.

    Args:
        trimodal: the encoders, with the adapter to train.
        readout: of the streams.
        head: the task's last layer.
    """

    def __init__(self, *, trimodal: TrimodalModel, readout: Readout, head: nn.Module) -> None:
        super().__init__()
        self.trimodal = trimodal
        self.readout = readout
        self.head = head

    def forward(self, inputs: Inputs) -> TaskOutput:
        """The head's output for the inputs of :class:`~lstta_tasks.data.collate.Collate`."""
        trimodal = self.trimodal(inputs)
        return TaskOutput(self.head(self.readout(trimodal)), trimodal)


def build_model(
    *,
    encoders: Mapping[Modality, Encoder],
    method: Mapping[str, Any],
    task: Task,
    modalities: Sequence[str] | None = None,
    stages: int | None = None,
    adapted: int | None = None,
    readout: Mapping[str, Any] | None = None,
) -> tuple[TaskModel, MethodChoice]:
    """A freshly initialised model.

    Args:
        encoders: by modality; frozen here.
        method: ``name`` of a method, its options, and perhaps ``budget``.
        task: owns the last layer.
        modalities: those of the encoders that the model has; all by default. For comparisons with less.
        stages: K, see :class:`~lstta_core.trimodal.TrimodalModel`.
        adapted: how many of the last stages are adapted.
        readout: options of :class:`~lstta_core.readout.Readout`.

    Returns:
        The model, and what the method became: with a budget, its options have the width that was found.

    Raises:
        UnknownNameError: no plugin registers the method.
        ValueError: an option is out of range, or ``modalities`` names one without an encoder.
    """
    used = {m: encoder for m, encoder in encoders.items() if modalities is None or m in modalities}
    if modalities is not None and len(used) != len(modalities):
        raise ValueError(f"model.modalities: some of {', '.join(encoders)} are wanted, each once, got {modalities}")
    trimodal = TrimodalModel(used, stages=stages, adapted=adapted)
    choice = create_method(model=trimodal, **method)
    trimodal.add_adapter(ADAPTER, choice.method)
    widths = {m: encoder.widths[-1] for m, encoder in trimodal.by_modality().items()}
    pool = Readout(widths=widths, **(readout or {}))
    return TaskModel(trimodal=trimodal, readout=pool, head=task.head(pool.width)), choice
