"""Options of what a config names, a plugin or a class, checked without calling it: it may not be built this time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lstta_tasks.experiment.factories import Factory, arguments, callable_of, factory_of, options_of
from lstta_tasks.experiment.option_types import check_types
from lstta_tasks.experiment.refusals import check_arguments

NAMING = ("task", "encoders.", "method", "optim_wrapper.optimizer")
"""How the places of sections begin that name one."""


def check_named(section: str, settings: Any) -> None:
    """Refuse options that the plugin or the class does not take.

    Args:
        section: one of :data:`NAMING`, or in one.
        settings: what stands there.

    Raises:
        ValueError: nothing is named, or such an option is there.
        UnknownNameError: no plugin registers the name.
    """
    if section == "method":
        check_method(section, settings)
    elif section == "task":
        _check(factory_of("task", section, settings), section, options_of(settings))
    elif section == "optim_wrapper.optimizer":
        given: dict[str, Any] = {"params": []}  # by the model
        _check(callable_of(section, settings["type"]), section, options_of(settings) | given)
    elif section.count(".") == 1:
        _check(factory_of("encoder", section, settings), section, options_of(settings))


def check_method(section: str, method: Mapping[str, Any]) -> None:
    """Raise where a config's method has no name or one that no plugin registers, or an option that it does not take,
    or one of another type.

    Raises:
        ValueError: no name, or such an option.
        UnknownNameError: such a name.
    """
    if "name" not in method:
        raise ValueError(f"{section}.name: the config must name a method, such as 'lstta'")
    factory = factory_of("method", section, {"name": method["name"]})
    _check(factory, section, {key: value for key, value in options_of(method).items() if key != "budget"})


def _check(factory: Factory, section: str, options: Mapping[str, Any]) -> None:
    check_arguments(factory, arguments(factory), section, options)
    check_types(section, factory, options)
