"""What a task trains: towers of frozen encoders, adapters, and what reads them.

A tower is one lockstep model with its readout. Most kinds of answer want one, of all modalities; a ranking has several,
so that clips and texts are embedded without each other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, final

from torch import Tensor, nn

from lstta_core.interfaces import Encoder, Inputs, Modality
from lstta_core.lockstep import TrimodalModel
from lstta_core.readout import Readout

Value = TypeVar("Value")


@dataclass(frozen=True)
class Tower:
    """Modalities that adapt together.

    Attributes:
        trimodal: their encoders in lockstep, with the adapter to train.
        readout: of their streams.
    """

    trimodal: TrimodalModel
    readout: Readout


@dataclass(frozen=True)
class TaskOutput:
    """What a network gives for a batch.

    Attributes:
        output: what loss and predictions are made of: the head's (B, …), unless the kind of answer says otherwise.
        importances: (B, T) by modality, of the last stage that has them; empty where the method has none.
        attention: (B, T) by modality, the share of each segment in what the readout reads, see
            :meth:`lstta_core.readout.Readout.attention`; only :meth:`TaskNetwork.explain` tells.
    """

    output: Any
    importances: Mapping[Modality, Tensor] = field(default_factory=dict)
    attention: Mapping[Modality, Tensor] = field(default_factory=dict)


class TaskNetwork(nn.Module, ABC):
    """Frozen encoders, adapters, and what reads them. Its lockstep models are found among its submodules."""

    @abstractmethod
    def forward(self, inputs: Inputs, target: Tensor | None = None) -> TaskOutput:
        """What loss and predictions are made of.

        Args:
            inputs: of :class:`~lstta_tasks.data.batch.Collate`.
            target: (B,) of the samples, where a loss is wanted.
        """

    def explain(self, inputs: Inputs) -> TaskOutput:
        """As :meth:`forward`, and where its readout looked; by default without that."""
        output: TaskOutput = self(inputs)
        return output

    def score(self, inputs: Inputs) -> Tensor:
        """The second pass, of samples that the kind of answer names: (B,), higher is better.

        Raises:
            NotImplementedError: the network has none.
        """
        raise NotImplementedError(f"{type(self).__name__} has no second pass")

    @final
    def lockstep_models(self) -> dict[str, TrimodalModel]:
        """The lockstep models, by their names as submodules."""
        return {name: module for name, module in self.named_modules() if isinstance(module, TrimodalModel)}

    @final
    def by_modality(self) -> dict[Modality, Encoder]:
        """The encoders; where several towers read a modality, those of the first."""
        return _first([model.by_modality() for model in self.lockstep_models().values()])

    @final
    def digests(self) -> dict[Modality, str]:
        """Of the encoders' weights as they were loaded."""
        return _first([model.digests for model in self.lockstep_models().values()])

    @final
    def frozen(self) -> tuple[str, ...]:
        """The prefixes of the names of the encoders' state, which no adapter folder or checkpoint holds."""
        return tuple(f"{name}.encoders." for name in self.lockstep_models())


def _first(values: Sequence[Mapping[Modality, Value]]) -> dict[Modality, Value]:
    """The first value of each modality, in the modalities' order."""
    return {m: next(of[m] for of in values if m in of) for m in Modality if any(m in of for of in values)}
