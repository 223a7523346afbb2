"""Methods by the names that plugins register; and core's own, registered through the hook that is everybody's.

This is also a plugin's top module, so torch is only imported when a method is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lstta_core.hookspecs import Register, hookimpl
from lstta_core.methods.choice import MethodChoice
from lstta_core.plugins import installed_plugins

if TYPE_CHECKING:
    from lstta_core.lockstep import TrimodalModel

LSTTA_API_VERSION = 2


@hookimpl
def lstta_register_methods(register: Register) -> None:
    home = "lstta_core.methods"
    register("lstta", f"{home}.lstta.adapter:LSTTA", summary="long short-term trimodal adapters")
    register("none", f"{home}.none:NoAdapter", summary="the readout alone, on frozen encoders")
    register("bottleneck", f"{home}.bottleneck:Bottleneck", summary="bottlenecks, each modality by itself")
    register("lavish", f"{home}.lavish:Lavish", summary="latents between sight and sound")
    register("full", f"{home}.full:FullFineTuning", summary="every parameter of the encoders")


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
    models = list(model) if isinstance(model, Sequence) else [model]
    if budget is None:
        return MethodChoice(installed_plugins().create("method", name, **options), name, options, models)
    from lstta_core.budget import nearest_to_budget

    return nearest_to_budget(name, models, budget, options)
