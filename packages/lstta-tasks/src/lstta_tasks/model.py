"""The whole model of a task: three frozen encoders with adapters between their blocks, the readout, the last layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from lstta_core.interfaces import Encoder, Method, Modality
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
        encoders: by modality; frozen here.
        method: what trains in or between them.
        task: owns the last layer.
        stages: K, see :class:`~lstta_core.trimodal.TrimodalModel`.
        adapted: how many of the last stages are adapted.
        readout: options of :class:`~lstta_core.readout.Readout`.
    """

    def __init__(
        self,
        *,
        encoders: Mapping[Modality, Encoder],
        method: Method,
        task: Task,
        stages: int | None = None,
        adapted: int | None = None,
        readout: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.trimodal = TrimodalModel(encoders, stages=stages, adapted=adapted)
        self.trimodal.add_adapter(ADAPTER, method)
        widths = {m: encoder.widths[-1] for m, encoder in self.trimodal.by_modality().items()}
        self.readout = Readout(widths=widths, **(readout or {}))
        self.head = task.head(self.readout.width)

    def forward(self, inputs: Inputs) -> TaskOutput:
        """The head's output for the inputs of :class:`~lstta_tasks.data.collate.Collate`."""
        trimodal = self.trimodal(inputs)
        return TaskOutput(self.head(self.readout(trimodal)), trimodal)
