"""The network of tasks that answer for every segment: the readout reads each by itself, and the head answers there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lstta_core.by_segment import by_segment, seen_segments, segments_of
from lstta_core.interfaces import Inputs, Modality
from lstta_tasks.task_network import TaskNetwork, TaskOutput, Tower

Readings = Sequence[Sequence[Modality]]
"""Of each vector that a segment has: whether it is read from sight, from sound, or from both."""


@dataclass(frozen=True)
class OfSegments:
    """What is said of each segment, for R readings of it.

    Attributes:
        logits: (B, T, R, C), the head's.
        seen: (B, T, R), bool, false for segments of which there is nothing to see or to hear: they count nowhere.
    """

    logits: Tensor
    seen: Tensor


class SegmentNetwork(TaskNetwork):
    """Encoders, adapters, the readout of every segment, and a head that all segments and readings share.

    What one segment tells another passes through encoders and adapters: the readout sees one at a time.

    Args:
        tower: the encoders with the adapter to train, and the readout of their streams.
        head: the last layer.
        readings: what of a segment is read.
    """

    def __init__(self, *, tower: Tower, head: nn.Module, readings: Readings) -> None:
        super().__init__()
        self.trimodal = tower.trimodal
        self.readout = tower.readout
        self.head = head
        self.readings = tuple(tuple(one) for one in readings)

    def forward(self, inputs: Inputs, target: Tensor | None = None) -> TaskOutput:
        """The head's output, :class:`OfSegments`; it needs no target."""
        output = self.trimodal(inputs)
        segments = segments_of(output)
        vectors = [self.readout(by_segment(output, of)).unflatten(0, (-1, segments)) for of in self.readings]
        seen = [seen_segments(output, of) for of in self.readings]
        said = OfSegments(self.head(torch.stack(vectors, 2)), torch.stack(seen, 2))
        return TaskOutput(said, output.importances[-1] if output.importances else {})
