"""What a cache of prefixes needs of a lockstep model: how far they go, what is behind them, their states as input.

The prefix is what lies before the first adapted stage, see ``lockstep``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor

from lstta_core.interfaces import EncoderState, Modality, TrimodalOutput
from lstta_core.speaking import SpeakingEncoder
from lstta_core.states import move_state

if TYPE_CHECKING:
    from lstta_core.lockstep import TrimodalModel


def prefix_blocks(model: TrimodalModel) -> dict[Modality, int]:
    """How many blocks of each encoder the prefix has."""
    return {m: crossed[model.first_adapted] for m, crossed in model.crossed.items()}


def behind_the_prefix(model: TrimodalModel) -> tuple[str, ...]:
    """How names of the encoders' parameters begin that only blocks behind the prefix read, see ``Encoder.block``."""
    names = []
    for modality, encoder in model.by_modality().items():
        last = range(prefix_blocks(model)[modality], len(encoder.widths))
        blocks = [encoder.block(index) for index in last]
        names += [f"{modality}.{name}." for name, module in encoder.named_modules() if module in blocks]
    return tuple(names)


def brought(
    model: TrimodalModel, inputs: Mapping[Modality, Mapping[str, Any]], modalities: Collection[Modality]
) -> dict[Modality, EncoderState]:
    """The states that inputs bring along, on the model's device; none where none does.

    A text that speaks need not: an answer goes through all blocks, and its prompt with it.

    Args:
        model: whose they are.
        inputs: as of :meth:`~lstta_core.lockstep.TrimodalModel.forward`.
        modalities: whose states are wanted.

    Raises:
        ValueError: some bring theirs, others do not; or something trains inside the prefix.
    """
    states = {m: inputs[m]["state"] for m in modalities if "state" in inputs.get(m, {})}
    if not states:
        return {}
    lacking = [m for m in modalities if m not in states and not isinstance(model.by_modality()[m], SpeakingEncoder)]
    if lacking:
        raise ValueError(
            f"either all inputs bring a state or none: {[str(m) for m in modalities]}, got it for "
            f"{[str(m) for m in states]}"
        )
    if not model.prefix_is_frozen:
        raise ValueError(f"{model.active!r} trains inside the encoders' prefix: its states cannot be brought along")
    return {m: move_state(state, model.device) for m, state in states.items()}


def suffix(
    model: TrimodalModel, states: dict[Modality, EncoderState], present: Mapping[Modality, Tensor]
) -> TrimodalOutput:
    """What follows the prefix.

    Args:
        model: that gave the states.
        states: of :meth:`~lstta_core.lockstep.TrimodalModel.prefix`.
        present: (B,) bool, for each modality of the model.
    """
    return model.forward({m: {"present": present[m]} for m in present}, states)
