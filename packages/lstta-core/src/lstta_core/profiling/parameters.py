"""Parameters by part: which train and which are frozen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from torch import nn

from lstta_core.profiling.parts import Part, Parts


@dataclass(frozen=True)
class ParameterCount:
    """Numbers of parameters; one that two modules share counts once, where it is named first.

    Attributes:
        trainable: those that want gradients, which are those that belong into an optimizer.
        frozen: the others.
    """

    trainable: int = 0
    frozen: int = 0

    @property
    def total(self) -> int:
        return self.trainable + self.frozen

    def __add__(self, other: ParameterCount) -> ParameterCount:
        return ParameterCount(self.trainable + other.trainable, self.frozen + other.frozen)


def count_parameters(model: nn.Module) -> dict[Part, ParameterCount]:
    """The parameters of each part of a model, in the order of the model.

    Args:
        model: that is or holds a :class:`~lstta_core.lockstep.TrimodalModel`, one or several.
    """
    parts = Parts(model)
    trainable: Counter[Part] = Counter()
    frozen: Counter[Part] = Counter()
    for name, parameter in model.named_parameters():
        part = parts.of(name)
        trainable[part] += parameter.numel() if parameter.requires_grad else 0
        frozen[part] += 0 if parameter.requires_grad else parameter.numel()
    return {part: ParameterCount(trainable[part], frozen[part]) for part in trainable}
