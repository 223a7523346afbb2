"""Calling what a config names: a plugin's name, or a callable itself. An option that it does not take is an error."""

from __future__ import annotations

import inspect
import json
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from mmengine.config import ConfigDict

from lstta_core.plugins import Kind, installed_plugins

Factory = Callable[..., Any]


def create(kind: Kind, section: str, settings: Mapping[str, Any]) -> Any:
    """What a section of a config describes: ``name`` is a plugin's, or ``type`` is a callable itself.

    Args:
        kind: what is wanted.
        section: its place in the config, for messages.
        settings: of the section.

    Raises:
        ValueError: neither or both of ``name`` and ``type``, or an argument that the factory does not take.
        UnknownNameError: no plugin registers the name.
    """
    return call(factory_of(kind, section, settings), section, _options(settings))


def factory_of(kind: Kind, section: str, settings: Mapping[str, Any]) -> Factory:
    """What :func:`create` calls. Raises as it does."""
    if not isinstance(settings, Mapping):
        raise ValueError(f"{section}: a dict with the name of an {kind} is wanted, got {settings!r}")
    if ("name" in settings) == ("type" in settings):
        raise ValueError(f"{section}: give either the name of an {kind} or type=, the callable itself")
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
        raise ValueError(f"{section}.type: {given!r} cannot be imported: {error}") from error
    if not callable(found):
        raise ValueError(f"{section}.type: a callable is wanted, got {given!r}")
    return found


def call(factory: Factory, section: str, options: Mapping[str, Any]) -> Any:
    """Call a factory with a section's options.

    Raises:
        ValueError: an option that it does not take, or lacks, or that is of a wrong type.
    """
    check_arguments(factory, section, options)
    try:
        return factory(**options)
    except TypeError as error:
        raise ValueError(f"{section}: {factory.__name__} refuses its options: {error}") from error


def check_arguments(factory: Factory, section: str, options: Iterable[str]) -> None:
    """Raise a ValueError that names the section where a factory does not take an option, or lacks one."""
    known, takes_any = arguments(factory)
    for key in options:
        if key not in known and not takes_any:
            raise ValueError(f"{section}.{key}: {factory.__name__} does not take it{nearest(key, list(known))}")
    for key, needed in known.items():
        if needed and key not in options:
            raise ValueError(f"{section}.{key}: {factory.__name__} needs it")


def check_method(section: str, method: Mapping[str, Any]) -> None:
    """Raise where a config's method has no name or one that no plugin registers, or an option that it does not take.

    Raises:
        ValueError: no name, or such an option.
        UnknownNameError: such a name.
    """
    if "name" not in method:
        raise ValueError(f"{section}.name: the config must name a method, such as 'lstta'")
    factory = installed_plugins().find("method", method["name"]).load()
    check_arguments(factory, section, {key: value for key, value in method.items() if key not in ("name", "budget")})


def arguments(factory: Factory) -> tuple[dict[str, bool], bool]:
    """The names of a factory's arguments with whether it needs them, and whether it takes any others too.

    A class that hands unknown arguments on to the class it inherits from takes that one's as well.
    """
    calls: list[Factory] = [factory]
    if inspect.isclass(factory):
        calls = [vars(cls)["__init__"] for cls in factory.__mro__ if cls is not object and "__init__" in vars(cls)]
    known: dict[str, bool] = {}
    for function in calls:
        parameters = list(inspect.signature(function).parameters.values())[inspect.isclass(factory) :]
        named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        known = {p.name: p.default is p.empty for p in named} | known
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return known, False
    return known, bool(calls)


def described(section: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """A section as JSON can say it: ``name`` and the options; a callable's name is ``"module:name"``.

    Raises:
        ValueError: an option that JSON cannot say.
    """
    name = settings["name"] if "name" in settings else _address(callable_of(section, settings["type"]))
    options = _options(settings)
    for key, value in options.items():
        try:
            json.dumps(value)
        except TypeError as error:
            raise ValueError(
                f"{section}.{key}: {value!r} cannot be written into an adapter's record: use text, numbers and lists"
            ) from error
    return {"name": name, **options}


def plain(value: Any) -> Any:
    """A config's values as plain dicts and lists."""
    if isinstance(value, ConfigDict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(plain(inner) for inner in value)
    return value


def nearest(key: str, known: Iterable[str]) -> str:
    """The end of a message about a key that is not known: the nearest one that is, or all of them."""
    names = list(known)
    near = get_close_matches(key, names, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(names)}" if names else ""


def _options(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: plain(value) for key, value in settings.items() if key not in ("name", "type")}


def _address(factory: Factory) -> str:
    return f"{factory.__module__}:{factory.__qualname__}"
