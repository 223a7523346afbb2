"""What a task costs: the figures of one config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lstta_core.profiling import MacCount, Measurement, ParameterCount, Part


@dataclass(frozen=True)
class TaskProfile:
    """What was counted and measured of one config.

    Attributes:
        config: its folder and name.
        inputs: what was fed: clips of so many segments, and so on.
        device: that was measured on.
        parameters: by part.
        folder_bytes: of the adapter folder, written to a disk; it holds what trains and its description.
        macs: of one sample.
        resident_bytes: of parameters, buffers, the batch and the optimizer's state.
        forward: without gradients, of a batch.
        step: zero the gradients, forward, loss, backward, clip, update; of a batch.
    """

    config: str
    inputs: Mapping[str, float]
    device: str
    parameters: Mapping[Part, ParameterCount]
    folder_bytes: int
    macs: MacCount
    resident_bytes: int
    forward: Measurement
    step: Measurement

    @property
    def all_parameters(self) -> ParameterCount:
        return sum(self.parameters.values(), ParameterCount())
