"""Methods by name, and of a wanted size: ``budget=350_000`` finds the width that comes nearest.

Sizes are counted on the real thing: the method's adapters are built on the meta device, and what it changes inside
encoders is tried on copies of them that hold no weights.
"""

from __future__ import annotations

import copy
import logging
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, cast

import torch
from torch import nn

from lstta_core.interfaces import Encoder, Method, Size
from lstta_core.lockstep import TrimodalModel
from lstta_core.plugins import installed_plugins

logger = logging.getLogger(__name__)

TOLERANCE = 0.02
"""How far from its budget a method may be before this is a warning."""


@dataclass(frozen=True)
class MethodChoice:
    """A method, and how it came about.

    Attributes:
        method: for :meth:`~lstta_core.lockstep.TrimodalModel.add_adapter`.
        name: it is registered under.
        options: all that it was called with, the solved one included; what an adapter folder records.
        models: that it is for.
        budget: that was asked for, or None.
    """

    method: Method
    name: str
    options: Mapping[str, Any]
    models: Sequence[TrimodalModel]
    budget: int | None = None

    @cached_property
    def parameters(self) -> int:
        """How many it trains in the models, readout and head not counted; counted when it is first asked for."""
        return sum(count_parameters(self.method, model) for model in self.models)


def create_method(
    name: str, model: TrimodalModel | Sequence[TrimodalModel], *, budget: int | None = None, **options: Any
) -> MethodChoice:
    """A registered method, of a wanted size where one is wanted.

    In a config: ``method=dict(name="lstta", budget=350_000, window=3)``.

    Args:
        name: ``"lstta"``, ``"bottleneck"``, … as plugins register it.
        model: that the method is for; widths, stages and how many are adapted come from it. It is not changed. Where
            there are several, they share the budget: all get the same options.
        budget: how many parameters to train, readout and head not counted; None for the options as they are.
        options: keyword arguments of the method; beside a budget not the one that sets its size (``width``, ``r``).

    Raises:
        UnknownNameError: no plugin registers the name.
        ValueError: the method has no size option, or it is given beside the budget, or the budget is too small.
    """
    models = [model] if isinstance(model, TrimodalModel) else list(model)
    if budget is None:
        method = _create(name, options)
        return MethodChoice(method, name, options, models)
    nearest = _nearest(name, models, budget, options)
    _report(nearest, budget)
    return nearest


def count_parameters(method: Method, model: TrimodalModel) -> int:
    """How many parameters the method would train in this model, which is not changed."""
    with model.disabled(), torch.device("meta"):
        encoders = {m: _without_weights(encoder) for m, encoder in model.by_modality().items()}
        change = method.prepare(encoders)
        change.switch(True)
        inside = nn.ModuleDict({m: encoders[m] for m in encoders})
        count = sum(inside.get_parameter(name).numel() for name in change.trainable)
        for index in range(model.stages - model.adapted + 1, model.stages + 1):
            adapter = method.adapter(model.stage(index))
            count += sum(parameter.numel() for parameter in adapter.parameters()) if adapter is not None else 0
    return count


def _create(name: str, options: Mapping[str, Any]) -> Method:
    return cast(Method, installed_plugins().create("method", name, **options))


def _nearest(name: str, models: Sequence[TrimodalModel], budget: int, options: Mapping[str, Any]) -> MethodChoice:
    size = _size(name, options)

    @cache
    def choice(steps: int) -> MethodChoice:
        tried = {**options, size.option: steps * size.step}
        method = _create(name, tried)
        return MethodChoice(method, name, tried, models, budget)

    least = choice(1).parameters
    if least >= choice(2).parameters:
        raise ValueError(f"{name} trains {least:,} parameters here, whatever its {size.option}: leave budget out")
    if budget < least / 2:
        raise ValueError(
            f"budget={budget:,} is too small for {name}: with {size.option}={size.step}, its least, it trains "
            f"{least:,} parameters; adapt fewer stages or raise the budget"
        )
    enough = 1
    while choice(enough).parameters < budget:
        enough *= 2
    above = bisect_left(range(enough + 1), budget, lo=1, key=lambda steps: choice(steps).parameters)
    return min(choice(max(above - 1, 1)), choice(above), key=lambda one: abs(one.parameters - budget))


def _size(name: str, options: Mapping[str, Any]) -> Size:
    size = _create(name, options).size
    if size is None:
        raise ValueError(f"{name} has no option that sets its size: leave budget out")
    if size.option in options:
        raise ValueError(f"{name}: budget solves for {size.option}, which is given too: leave one of the two out")
    return size


def _report(choice: MethodChoice, budget: int) -> None:
    off = choice.parameters / budget - 1
    logger.log(
        logging.INFO if abs(off) <= TOLERANCE else logging.WARNING,
        "%s(%s) trains %s parameters for a budget of %s (%+.2f %%)",
        choice.name,
        ", ".join(f"{option}={value!r}" for option, value in choice.options.items()),
        f"{choice.parameters:,}",
        f"{budget:,}",
        100 * off,
    )


def _without_weights(encoder: Encoder) -> Encoder:
    """A copy whose parameters and buffers are on the meta device."""
    tensors = [*encoder.parameters(), *encoder.buffers()]
    memo: dict[int, Any] = {
        id(tensor): nn.Parameter(tensor.detach().to("meta"), requires_grad=False)
        if isinstance(tensor, nn.Parameter)
        else tensor.detach().to("meta")
        for tensor in tensors
    }
    return copy.deepcopy(encoder, memo)
