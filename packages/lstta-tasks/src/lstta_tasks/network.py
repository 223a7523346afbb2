"""What a task trains, as the engine and adapter folders see it: towers of frozen encoders and what reads them.

A tower is one lockstep model with its readout. Most tasks have one, of all modalities; retrieval has several, so that
clips and texts are embedded without each other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, final

from torch import Tensor, nn

from lstta_core.interfaces import Encoder, Modality
from lstta_core.lockstep import Inputs, TrimodalModel, TrimodalOutput
from lstta_core.readout import Readout


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
        output: what the task's loss and predictions are made of: the head's (B, …), unless a task says otherwise.
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
        """What the task's loss and predictions are made of.

        Args:
            inputs: of :class:`~lstta_tasks.data.batch.Collate`.
            target: (B,) of the samples, where a loss is wanted.
        """

    def explain(self, inputs: Inputs) -> TaskOutput:
        """As :meth:`forward`, and where its readout looked; by default without that."""
        output: TaskOutput = self(inputs)
        return output

    def score(self, inputs: Inputs) -> Tensor:
        """The second pass, of samples that :meth:`~lstta_tasks.task.Task.second_pass` names: (B,), higher is better.

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
        found: dict[Modality, Encoder] = {}
        for model in self.lockstep_models().values():
            found = model.by_modality() | found
        return {m: found[m] for m in Modality if m in found}

    @final
    def digests(self) -> dict[Modality, str]:
        """Of the encoders' weights as they were loaded."""
        found: dict[Modality, str] = {}
        for model in self.lockstep_models().values():
            found = model.digests | found
        return {m: found[m] for m in Modality if m in found}

    @final
    def frozen(self) -> tuple[str, ...]:
        """The prefixes of the names of the encoders' state, which no adapter folder or checkpoint holds."""
        return tuple(f"{name}.encoders." for name in self.lockstep_models())


class TaskModel(TaskNetwork):
    """Encoders, adapters, readout and head: the network of every task that makes none of its own.

    Args:
        tower: the encoders with the adapter to train, and the readout of their streams.
        head: the task's last layer.
    """

    def __init__(self, *, tower: Tower, head: nn.Module) -> None:
        super().__init__()
        self.trimodal = tower.trimodal
        self.readout = tower.readout
        self.head = head

    def forward(self, inputs: Inputs, target: Tensor | None = None) -> TaskOutput:
        """The head's output; it needs no target."""
        return self._answer(self.trimodal(inputs))

    def explain(self, inputs: Inputs) -> TaskOutput:
        trimodal: TrimodalOutput = self.trimodal(inputs)
        return replace(self._answer(trimodal), attention=self.readout.attention(trimodal))

    def _answer(self, trimodal: TrimodalOutput) -> TaskOutput:
        return TaskOutput(self.head(self.readout(trimodal)), trimodal.importances[-1] if trimodal.importances else {})
