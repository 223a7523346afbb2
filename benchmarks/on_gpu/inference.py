"""Answering clips that lie in the host's memory."""

from __future__ import annotations

import torch
from torch import Tensor
from ways import LSTTA, Size, Way

from lstta_core.interfaces import Modality


class Inference:
    """Several batches, one after the other: each is moved to the device and answered; the answers come back at the end.

    Args:
        size: of a batch.
        batches: how many a step answers.
        device: where.
    """

    def __init__(self, *, size: Size, batches: int, device: torch.device) -> None:
        self.way = Way(size=size, settings="bfloat16", method=LSTTA, device=device)
        self.way.model.eval()
        self.way.head.eval()
        self.trainable, self.clips = self.way.trainable, size.clips * batches
        self.batches = [self._on_host(self.way.batch(size, seed=seed)) for seed in range(batches)]

    def _on_host(self, batch: dict[Modality, dict[str, Tensor]]) -> dict[Modality, dict[str, Tensor]]:
        """In pinned memory where there is a GPU, as the loader's batches are."""
        return {
            m: {
                name: tensor.cpu().pin_memory() if self.way.device.type == "cuda" else tensor
                for name, tensor in tensors.items()
            }
            for m, tensors in batch.items()
        }

    def step(self) -> None:
        """Answer all batches."""
        answers = []
        with torch.no_grad(), self.way.context():
            for batch in self.batches:
                moved = {
                    m: {name: tensor.to(self.way.device, non_blocking=True) for name, tensor in tensors.items()}
                    for m, tensors in batch.items()
                }
                answers.append(self.way.head(self.way.model(moved)).argmax(-1))
        torch.cat(answers).tolist()

    def resident(self) -> int:
        """Bytes of the model and of one batch."""
        return self.way.resident()
