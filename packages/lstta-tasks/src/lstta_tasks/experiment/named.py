"""Options of what a config names, a plugin or a class, checked without calling it: it may not be built this time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lstta_core.plugins import installed_plugins
from lstta_tasks.experiment.factories import Factory, arguments, callable_of, factory_of, options_of
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
        _check(callable_of(section, settings["type"]), section, [*options_of(settings), "params"])  # the model's
    elif section.count(".") == 1:
        _check(factory_of("encoder", section, settings), section, options_of(settings))


def check_method(section: str, method: Mapping[str, Any]) -> None:
    """Raise where a config's method has no name or one that no plugin registers, or an option that it does not take.

    Raises:
        ValueError: no name, or such an option.
        UnknownNameError: such a name.
    """
    if "name" not in method:
        raise ValueError(f"{section}.name: the config must name a method, such as 'lstta'")
    factory = installed_plugins().find("method", method["name"]).load()
    _check(factory, section, [key for key in method if key not in ("name", "budget")])


def _check(factory: Factory, section: str, options: Iterable[str]) -> None:
    check_arguments(factory, arguments(factory), section, options)
