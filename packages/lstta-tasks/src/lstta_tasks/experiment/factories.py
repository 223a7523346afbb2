"""Calling what a config names: a plugin's name, or a callable itself. An option that it does not take is an error."""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Mapping
from typing import Any

from mmengine.config import ConfigDict

from lstta_core.plugins import Kind, installed_plugins
from lstta_tasks.experiment.option_types import check_types
from lstta_tasks.experiment.refusals import check_arguments, nearest, why_not_importable, why_not_recorded
from lstta_tasks.in_section import in_section
from lstta_tasks.signatures import Factory as Factory
from lstta_tasks.signatures import arguments as arguments


def create(kind: Kind, section: str, settings: Mapping[str, Any]) -> Any:
    """What a section of a config describes: ``name`` is a plugin's, or ``type`` is a callable itself.

    Args:
        kind: what is wanted.
        section: its place in the config, for messages.
        settings: of the section.

    Raises:
        ValueError: neither or both of ``name`` and ``type``, or an argument that the factory does not take or that an
            adapter's record could not say.
        UnknownNameError: no plugin registers the name.
    """
    factory, options = factory_of(kind, section, settings), options_of(settings)
    try:
        json.dumps(options)
    except TypeError as error:
        raise ValueError(why_not_recorded(section, options)) from error
    with in_section(section, options):
        return call(factory, section, options)


def factory_of(kind: Kind, section: str, settings: Mapping[str, Any]) -> Factory:
    """What :func:`create` calls. Raises as it does."""
    if not isinstance(settings, Mapping):
        raise ValueError(f"{section}: a dict with the name of an {kind} is wanted, got {settings!r}")
    if ("name" in settings) == ("type" in settings):
        raise ValueError(f"{section}: give either the name of an {kind} or type=, the callable itself")
    if not isinstance(settings.get("name", ""), str):
        raise ValueError(f"{section}.name: a text is wanted, got {settings['name']!r}")
    if "name" in settings:
        return installed_plugins().find(kind, settings["name"]).load()
    return callable_of(section, settings["type"])


def callable_of(section: str, given: Any) -> Factory:
    """A callable, given itself or, as in the config that a run folder holds, by its address.

    Raises:
        ValueError: it is neither.
    """
    try:
        found = pkgutil.resolve_name(given) if isinstance(given, str) else given
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(why_not_importable(section, given, error)) from error
    if not callable(found):
        raise ValueError(f"{section}.type: a callable is wanted, got {given!r}")
    return found


def call(factory: Factory, section: str, options: Mapping[str, Any]) -> Any:
    """Call a factory with a section's options.

    Raises:
        ValueError: an option that it does not take, or lacks, or that is of a wrong type.
    """
    check_types(section, factory, options)
    try:
        return factory(**options)
    except TypeError as error:
        check_arguments(factory, arguments(factory), section, options)
        raise ValueError(f"{section}: {factory.__name__} refuses its options: {error}") from error


def check_keys(section: str, settings: Any, known: Mapping[str, bool]) -> None:
    """Raise a ValueError that names the key where a section has one that is not known, or lacks one that it needs."""
    if not isinstance(settings, Mapping):
        raise ValueError(f"{section}: a dict is wanted, got {settings!r}")
    for key in settings:
        if key not in known:
            raise ValueError(f"{section}.{key}: nothing reads it{nearest(key, known)}")
    for key, needed in known.items():
        if needed and key not in settings:
            raise ValueError(f"{section}.{key}: it is missing")


def plain(value: Any) -> Any:
    """A config's values as plain dicts and lists."""
    if isinstance(value, ConfigDict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(plain(inner) for inner in value)
    return value


def options_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a section says besides whom it names."""
    return {key: plain(value) for key, value in settings.items() if key not in ("name", "type")}
