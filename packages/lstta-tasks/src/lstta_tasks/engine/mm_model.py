"""The task's model as MMEngine's runner calls it."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor

from lstta_core.interfaces import Modality
from lstta_core.trimodal import Inputs
from lstta_tasks.model import TaskModel
from lstta_tasks.task import Task


class RunnerModel(BaseModel):
    """Loss or predictions of a batch.

    Args:
        model: the task's model.
        task: whose loss and predictions these are.
    """

    def __init__(self, *, model: TaskModel, task: Task) -> None:
        super().__init__()
        self.model = model
        self.task = task

    def forward(
        self, inputs: Inputs, target: Tensor, ids: list[str], mode: str = "tensor"
    ) -> dict[str, Tensor] | list[dict[str, Any]] | Tensor:
        """A batch of :class:`~lstta_tasks.data.collate.Collate`.

        Args:
            inputs: by modality.
            target: (B,).
            ids: the samples'.
            mode: ``"loss"`` for ``{"loss": ()}``, ``"predict"`` for one dict a sample (id, prediction, loss of the
                batch, importances), ``"tensor"`` for the head's output.
        """
        result = self.model(inputs)
        if mode == "loss":
            return {"loss": self.task.loss(result.output, target)}
        if mode == "tensor":
            return result.output
        with torch.no_grad():
            loss = self.task.loss(result.output, target).item()
        last = result.trimodal.importances[-1] if result.trimodal.importances else {}
        importances: dict[Modality, list[list[float]]] = {m: g.tolist() for m, g in last.items()}
        return [
            {
                "id": sample,
                "prediction": prediction,
                "loss": loss,
                "importances": {str(m): g[i] for m, g in importances.items()},
            }
            for i, (sample, prediction) in enumerate(zip(ids, self.task.predict(result.output), strict=True))
        ]
