"""Methods of a wanted size: ``budget=350_000`` finds the width that comes nearest.

Sizes are counted on the real thing: the method's adapters are built on the meta device, and what it changes inside
encoders is tried on copies of them that hold no weights.
"""

from __future__ import annotations

import copy
import logging
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import torch
from torch import nn

from lstta_core.counts import check_counts
from lstta_core.interfaces import Encoder, Method, Size
from lstta_core.lockstep import TrimodalModel
from lstta_core.methods.choice import MethodChoice
from lstta_core.plugins import installed_plugins

logger = logging.getLogger(__name__)

TOLERANCE = 0.02
"""How far from its budget a method may be before this is a warning."""


def count_parameters(method: Method, model: TrimodalModel) -> int:
    """How many parameters the method would train in this model, which is not changed."""
    with model.disabled(), torch.device("meta"):
        encoders = {m: without_weights(encoder) for m, encoder in model.by_modality().items()}
        change = method.prepare_at_stages(encoders, model.crossed)
        change.switch(True)
        inside = nn.ModuleDict({m: encoders[m] for m in encoders})
        count = sum(inside.get_parameter(name).numel() for name in change.trainable)
        for stage in model.adapted_stages:
            adapter = method.adapter(stage)
            count += sum(parameter.numel() for parameter in adapter.parameters()) if adapter is not None else 0
        preface = method.preface({m: encoder.widths[-1] for m, encoder in encoders.items()})
        count += sum(parameter.numel() for parameter in preface.parameters()) if preface is not None else 0
    return count


def nearest_to_budget(
    name: str, models: Sequence[TrimodalModel], budget: int, options: Mapping[str, Any]
) -> MethodChoice:
    """The method of the size that comes nearest to the budget; logs how near, as a warning where it is far.

    Raises:
        UnknownNameError: no plugin registers the name.
        ValueError: the method has no size option, or it is given beside the budget, or the budget is too small.
    """
    check_counts(budget=budget)
    choice = _nearest(name, models, budget, options)
    _report(choice, budget)
    return choice


def _nearest(name: str, models: Sequence[TrimodalModel], budget: int, options: Mapping[str, Any]) -> MethodChoice:
    size = _size(name, options)

    @cache
    def choice(steps: int) -> MethodChoice:
        tried = {**options, size.option: size.value(steps)}
        method = installed_plugins().create("method", name, **tried)
        return MethodChoice(method, name, tried, models, budget)

    least = choice(1).parameters
    if least >= choice(2).parameters:
        raise ValueError(f"{name} trains {least:,} parameters here, whatever its {size.option}: leave budget out")
    if budget < least / 2:
        raise ValueError(
            f"budget={budget:,} is too small for {name}: with {size.option}={size.value(1)}, its least, it trains "
            f"{least:,} parameters; adapt fewer stages or raise the budget"
        )
    enough = 1
    while choice(enough).parameters < budget:
        enough *= 2
    above = bisect_left(range(enough + 1), budget, lo=1, key=lambda steps: choice(steps).parameters)
    return min(choice(max(above - 1, 1)), choice(above), key=lambda one: abs(one.parameters - budget))


def _size(name: str, options: Mapping[str, Any]) -> Size:
    size: Size | None = installed_plugins().create("method", name, **options).size
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


def without_weights(encoder: Encoder) -> Encoder:
    """A copy whose parameters and buffers are on the meta device; its spec is the same one."""
    tensors = [*encoder.parameters(), *encoder.buffers()]
    memo: dict[int, Any] = {
        id(tensor): nn.Parameter(tensor.detach().to("meta"), requires_grad=False)
        if isinstance(tensor, nn.Parameter)
        else tensor.detach().to("meta")
        for tensor in tensors
    }
    memo[id(encoder.spec)] = encoder.spec
    return copy.deepcopy(encoder, memo)
