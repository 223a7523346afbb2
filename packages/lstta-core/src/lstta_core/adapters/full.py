"""Full fine-tuning: every parameter of the encoders trains. The ceiling that adapters are compared with."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lstta_core.interfaces import Encoder, EncoderChange, Method, Modality, Stage


class FullFineTuning(Method):
    """Trains the encoders themselves, in float32, and nothing between their blocks.

    Encoders stay in eval mode: no dropout, and batch norms keep their statistics. Whichever values are not in force,
    the original or the trained ones, wait in the host's memory; a state dict holds those that are in force.
    """

    def prepare(self, encoders: Mapping[Modality, Encoder]) -> EncoderChange:
        parameters = {
            f"{modality}.{key}": parameter
            for modality, encoder in encoders.items()
            for key, parameter in encoder.named_parameters()
            if parameter.is_floating_point()
        }
        return EncoderChange(trainable=tuple(parameters), switch=_Waiting(list(parameters.values())).swap)

    def adapter(self, stage: Stage) -> None:
        return None


class _Waiting:
    """The values that the encoders' parameters do not have just now: trained ones first, copies of the originals."""

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        self.parameters = parameters
        self.values = [
            _aside(p.detach().to(torch.promote_types(p.dtype, torch.float32), copy=True)) for p in parameters
        ]

    def swap(self, on: bool) -> None:
        """Exchange the two; ``on`` only says which way, and it is always the other."""
        for place, parameter in enumerate(self.parameters):
            waiting = _aside(parameter.data)
            parameter.data = self.values[place].to(parameter.device)
            self.values[place] = waiting


def _aside(values: Tensor) -> Tensor:
    """To the host's memory, unless they are a mere size on the meta device."""
    return values if values.is_meta else values.cpu()
