"""Full fine-tuning: the encoders' own parameters train. The ceiling that adapters are compared with."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lstta_core.interfaces import Encoder, EncoderChange, Method, Modality
from lstta_core.quantized import is_quantized
from lstta_core.targets import Target, matching


class FullFineTuning(Method):
    """Trains the encoders themselves, in float32, and nothing between their blocks.

    Encoders stay in eval mode: no dropout, and batch norms keep their statistics. Whichever values are not in force,
    the original or the trained ones, wait in the host's memory; a state dict holds those that are in force.

    Args:
        target: the names of the parameters that train, see :data:`~lstta_core.targets.Target`; by default all.
    """

    def __init__(self, *, target: Target = ".*") -> None:
        self.target = target

    def prepare(self, encoders: Mapping[Modality, Encoder]) -> EncoderChange:
        """Set values aside that will train.

        Raises:
            ValueError: no parameter of an encoder matches, or its weights are in 8 or 4 bits.
        """
        parameters: dict[str, nn.Parameter] = {}
        for modality, encoder in encoders.items():
            if is_quantized(encoder):
                raise ValueError(
                    f"full: the {modality} encoder's weights are in 8 or 4 bits, which cannot train: leave "
                    "model.frozen_dtype out, or take a method that leaves them frozen"
                )
            floating = {
                key: parameter for key, parameter in encoder.named_parameters() if parameter.is_floating_point()
            }
            wanted = matching(self.target, modality, list(floating), what="full: parameter")
            parameters |= {f"{modality}.{key}": floating[key] for key in wanted}
        return EncoderChange(trainable=tuple(parameters), switch=_Waiting(list(parameters.values())).swap)


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
