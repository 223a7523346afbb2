"""The network of most tasks, and how any task's is built; what all have in common is in ``task_network``."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from lstta_core.compiling import compile_options, compile_parts
from lstta_core.frozen import FrozenDtype
from lstta_core.interfaces import Encoder, Inputs, Modality, TrimodalOutput
from lstta_core.lockstep import TrimodalModel
from lstta_core.method import create_method
from lstta_core.methods.choice import MethodChoice
from lstta_core.quantized import BITS
from lstta_core.readout import Readout
from lstta_tasks.in_section import in_section
from lstta_tasks.task_network import TaskNetwork as TaskNetwork
from lstta_tasks.task_network import TaskOutput as TaskOutput
from lstta_tasks.task_network import Tower as Tower

if TYPE_CHECKING:  # a task names its kind of answer, which makes the network
    from lstta_tasks.task import Task

ADAPTER = "default"
DTYPES: dict[str, FrozenDtype] = {
    **{"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16},
    **{bits: bits for bits in BITS},
}


class TaskModel(TaskNetwork):
    """Encoders, adapters, readout and head: the network of every kind of answer that makes none of its own.

    Args:
        tower: the encoders with the adapter to train, and the readout of their streams.
        head: the last layer.
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


class OnTowers(ABC):
    """What stands on the towers; a kind of answer is that. The defaults are of those that want one tower of all."""

    def towers(self, modalities: Sequence[Modality]) -> Mapping[str, Sequence[Modality]]:
        """Which of the encoders' modalities adapt together, by the towers' names; by default all of them.

        Raises:
            ValueError: it cannot do without another one.
        """
        return {"trimodal": modalities}

    def network(self, towers: Mapping[str, Tower]) -> TaskNetwork:
        """What is trained, from the towers that :meth:`towers` names; by default the head on the readout of the one."""
        tower = towers["trimodal"]
        return TaskModel(tower=tower, head=self.head(tower.readout.width))

    @abstractmethod
    def head(self, width: int) -> nn.Module:
        """The last layer on a readout: (B, width) to what loss and predictions are made of."""


def build_model(
    *,
    encoders: Mapping[Modality, Encoder],
    method: Mapping[str, Any],
    task: Task,
    modalities: Sequence[str] | None = None,
    stages: int | None = None,
    adapted: int | None = None,
    readout: Mapping[str, Any] | None = None,
    frozen_dtype: str | None = None,
    checkpointing: bool = False,
    compile: bool | str | Mapping[str, Any] = False,
    shard: bool = False,
) -> tuple[TaskNetwork, MethodChoice]:
    """A freshly initialised network.

    Args:
        encoders: by modality; frozen here.
        method: ``name`` of a method, its options, and perhaps ``budget``. Where the task has several towers, all get
            the same options, and a budget is for all of them together.
        task: whose kind of answer says which towers there are, and what reads them.
        modalities: those of the encoders that the network has; all by default. For comparisons with less.
        stages: K, see :class:`~lstta_core.lockstep.TrimodalModel`.
        adapted: how many of the last stages are adapted.
        readout: options of :class:`~lstta_core.readout.Readout`.
        frozen_dtype: ``"bfloat16"``, ``"float16"`` or ``"float32"``, of the frozen weights, or ``"int8"`` and ``"nf4"``
            for 8 and 4 bits; as they are by default. This and the next change what a step costs, see
            :class:`~lstta_core.lockstep.TrimodalModel`.
        checkpointing: whether stages are computed again in the backward pass.
        compile: whether blocks and adapters go through ``torch.compile``, or its mode, or its options; see
            :func:`~lstta_core.compiling.compile_parts`.
        shard: whether a training of several processes shares the frozen encoders out, see
            :func:`~lstta_core.sharding.shard_encoders`; for whoever starts it to see to.

    Returns:
        The network, and what the method became: with a budget, its options have the width that was found.

    Raises:
        UnknownNameError: no plugin registers the method.
        ValueError: an option is out of range, ``shard`` meets what cannot be shared out, or ``modalities`` names one
            without an encoder.
    """
    if frozen_dtype not in (None, *DTYPES):
        raise ValueError(f"model.frozen_dtype: one of {', '.join(DTYPES)} is wanted, got {frozen_dtype!r}")
    if shard and (compile or frozen_dtype in BITS):
        other = f"model.frozen_dtype={frozen_dtype!r}" if frozen_dtype in BITS else "model.compile"
        raise ValueError(f"model.shard: not together with {other}: leave one of the two out")
    used = {m: encoder for m, encoder in encoders.items() if modalities is None or m in modalities}
    if modalities is not None and len(used) != len(modalities):
        raise ValueError(f"model.modalities: some of {', '.join(encoders)} are wanted, each once, got {modalities}")
    models: dict[str, TrimodalModel] = {}
    for name, read in task.answer.towers(tuple(used)).items():
        # A method may change encoders, so towers that read the same modality have an encoder each.
        taken = {m for model in models.values() for m in model.by_modality()}
        own = {m: copy.deepcopy(used[m]) if m in taken else used[m] for m in read}
        with in_section("model", ()):
            models[name] = TrimodalModel(
                own,
                stages=stages,
                adapted=adapted,
                frozen_dtype=None if frozen_dtype is None else DTYPES[frozen_dtype],
                checkpointing=checkpointing,
            )
    with in_section("method", method):
        choice = create_method(model=list(models.values()), **method)
        for model in models.values():
            model.add_adapter(ADAPTER, choice.method)
    if adapted == 0 and method["name"] != "none" and not any(model.trainable_parameters() for model in models.values()):
        raise ValueError(
            f"model.adapted=0 leaves the method {method['name']} no stage, so nothing of it would train: raise it, or "
            "take method.name='none'"
        )
    if compile:
        with in_section("model.compile", ()):
            for model in models.values():
                compile_parts(model, **compile_options(compile))
    towers = {}
    for name, model in models.items():
        widths = {m: encoder.widths[-1] for m, encoder in model.by_modality().items()}
        with in_section("model.readout", readout or ()):
            towers[name] = Tower(model, Readout(widths=widths, **(readout or {})))
    return task.answer.network(towers), choice
