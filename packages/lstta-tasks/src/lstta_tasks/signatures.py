"""What the callables that plugins register take: names of arguments, and values that JSON can say."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import PurePath
from typing import Any, get_args, get_type_hints

from lstta_core.checked import RecordError, check

Factory = Callable[..., Any]


def arguments(factory: Factory) -> tuple[dict[str, bool], bool]:
    """The names of a factory's arguments with whether it needs them, and whether it takes any others too.

    A class that hands unknown arguments on to the class it inherits from takes that one's as well.
    """
    known: dict[str, bool] = {}
    calls = _calls(factory)
    for function in calls:
        parameters = list(inspect.signature(function).parameters.values())[inspect.isclass(factory) :]
        named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        known = {p.name: p.default is p.empty for p in named} | known
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return known, False
    return known, bool(calls)


def check_options(
    factory: Factory, options: Mapping[str, Any], place: object, key: str, *, paths: bool = True, whole: bool = True
) -> None:
    """Refuse options of a record that a factory does not take, by name or by type, without calling it.

    Args:
        factory: of a plugin.
        options: as JSON gave them.
        place: the file, for messages.
        key: where in it.
        paths: whether arguments that may be paths are for a record to give.
        whole: whether nobody else gives any.

    Raises:
        RecordError: there is such an option, or one is missing.
    """
    known, takes_any = arguments(factory)
    hints = hints_of(factory)
    for name, value in options.items():
        hint = hints.get(name, Any)
        if (name not in known and not takes_any) or (not paths and _is_path(hint)):
            raise RecordError(f"{place}: {key}.{name}: not for a record; nothing reads it there")
        check(hint, value, place, f"{key}.{name}")
    missing = [name for name, needed in known.items() if needed and name not in options]
    if whole and missing:
        raise RecordError(f"{place}: {key}.{missing[0]}: it is missing")


def hints_of(factory: Factory) -> dict[str, Any]:
    """The types of a factory's arguments, by name, as far as they are said and can be found where it is defined."""
    hints: dict[str, Any] = {}
    for function in _calls(factory):
        for name, said in getattr(function, "__annotations__", {}).items():
            if name not in hints:
                with suppress(Exception):  # names imported for type checking alone, or somebody else's that are nowhere
                    hints[name] = get_type_hints(_annotated(function, {name: said}))[name]
    return hints


def _annotated(function: Factory, said: dict[str, Any]) -> Factory:
    """Something with some of a function's annotations, which mean what they mean where it is defined."""

    def holder() -> None: ...

    holder.__annotations__ = said
    holder.__wrapped__ = function  # type: ignore[attr-defined]  # typing looks there for the module
    return holder


def _calls(factory: Factory) -> list[Factory]:
    """What is called: a function itself, or the initialisers of a class and of those that it inherits from."""
    if not inspect.isclass(factory):
        return [factory]
    return [vars(cls)["__init__"] for cls in factory.__mro__ if cls is not object and "__init__" in vars(cls)]


def _is_path(hint: Any) -> bool:
    return any(isinstance(one, type) and issubclass(one, PurePath) for one in (hint, *get_args(hint)))
