"""Building a task's network: lockstep models with the method's adapters, readouts, and what the task puts on them."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from lstta_core.compiling import compile_parts
from lstta_core.interfaces import Encoder, Modality
from lstta_core.lockstep import TrimodalModel
from lstta_core.methods import MethodChoice, create_method
from lstta_core.readout import Readout
from lstta_tasks.network import TaskNetwork, Tower
from lstta_tasks.task import Task

ADAPTER = "default"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


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
) -> tuple[TaskNetwork, MethodChoice]:
    """A freshly initialised network.

    Args:
        encoders: by modality; frozen here.
        method: ``name`` of a method, its options, and perhaps ``budget``. Where the task has several towers, all get
            the same options, and a budget is for all of them together.
        task: owns what reads the towers.
        modalities: those of the encoders that the network has; all by default. For comparisons with less.
        stages: K, see :class:`~lstta_core.lockstep.TrimodalModel`.
        adapted: how many of the last stages are adapted.
        readout: options of :class:`~lstta_core.readout.Readout`.
        frozen_dtype: ``"bfloat16"`` or ``"float32"``, of the frozen weights; as they are by default. This and the next
            change what a step costs, see :class:`~lstta_core.lockstep.TrimodalModel`.
        checkpointing: whether stages are computed again in the backward pass.
        compile: whether blocks and adapters go through ``torch.compile``, or its mode, or its options; see
            :func:`~lstta_core.compiling.compile_parts`.

    Returns:
        The network, and what the method became: with a budget, its options have the width that was found.

    Raises:
        UnknownNameError: no plugin registers the method.
        ValueError: an option is out of range, or ``modalities`` names one without an encoder.
    """
    if frozen_dtype not in (None, *DTYPES):
        raise ValueError(f"model.frozen_dtype: one of {', '.join(DTYPES)} is wanted, got {frozen_dtype!r}")
    used = {m: encoder for m, encoder in encoders.items() if modalities is None or m in modalities}
    if modalities is not None and len(used) != len(modalities):
        raise ValueError(f"model.modalities: some of {', '.join(encoders)} are wanted, each once, got {modalities}")
    models: dict[str, TrimodalModel] = {}
    for name, read in task.towers(tuple(used)).items():
        # A method may change encoders, so towers that read the same modality have an encoder each.
        taken = {m for model in models.values() for m in model.by_modality()}
        own = {m: copy.deepcopy(used[m]) if m in taken else used[m] for m in read}
        models[name] = TrimodalModel(
            own,
            stages=stages,
            adapted=adapted,
            frozen_dtype=None if frozen_dtype is None else DTYPES[frozen_dtype],
            checkpointing=checkpointing,
        )
    choice = create_method(model=list(models.values()), **method)
    for model in models.values():
        model.add_adapter(ADAPTER, choice.method)
    if compile:
        for model in models.values():
            compile_parts(model, **_compile_options(compile))
    towers = {name: Tower(model, _readout(model, readout or {})) for name, model in models.items()}
    return task.network(towers), choice


def _readout(model: TrimodalModel, options: Mapping[str, Any]) -> Readout:
    return Readout(widths={m: encoder.widths[-1] for m, encoder in model.by_modality().items()}, **options)


def _compile_options(given: bool | str | Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of ``torch.compile``."""
    if isinstance(given, str):
        return {"mode": given}
    if isinstance(given, Mapping):
        return dict(given)
    if given is not True:
        raise ValueError(f"model.compile: True, a mode or a dict of torch.compile's options is wanted, got {given!r}")
    return {}
