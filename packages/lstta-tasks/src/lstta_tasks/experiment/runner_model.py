"""A task's network as MMEngine's runner calls it."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor

from lstta_core.lockstep import Inputs
from lstta_tasks.network import TaskNetwork
from lstta_tasks.task import Task


class RunnerModel(BaseModel):
    """Loss or predictions of a batch.

    Args:
        model: the task's network.
        task: whose loss and predictions these are.
        marks_steps: whether to tell CUDA graphs, which ``torch.compile`` may make, where a step begins.
    """

    def __init__(self, *, model: TaskNetwork, task: Task, marks_steps: bool = False) -> None:
        super().__init__()
        self.marks_steps = marks_steps
        self.model = model
        self.task = task

    def forward(
        self, inputs: Inputs, target: Tensor, ids: list[str], mode: str = "tensor"
    ) -> dict[str, Tensor] | list[dict[str, Any]] | Any:
        """A batch of :class:`~lstta_tasks.data.collate.Collate`.

        Args:
            inputs: by modality.
            target: (B,), or (B, L).
            ids: the samples'.
            mode: ``"loss"`` for ``{"loss": ()}``, ``"predict"`` for one dict a sample (id, prediction, loss of the
                batch), ``"tensor"`` for the network's output.
        """
        if self.marks_steps:
            torch.compiler.cudagraph_mark_step_begin()
        result = self.model(inputs, target)
        if mode == "loss":
            return {"loss": self.task.answer.loss(result.output, target)}
        if mode == "tensor":
            return result.output
        with torch.no_grad():
            loss = self.task.answer.loss(result.output, target).item()
        return [
            {"id": sample, "prediction": prediction, "loss": loss}
            for sample, prediction in zip(ids, self.task.answer.predict(result.output), strict=True)
        ]

    def score_step(self, batch: dict[str, Any]) -> list[dict[str, Any]]:
        """The network's second pass over a batch: one dict a sample (id, score)."""
        data = self.data_preprocessor(batch, False)
        scores = self.model.score(data["inputs"]).tolist()
        return [{"id": sample, "score": score} for sample, score in zip(data["ids"], scores, strict=True)]
