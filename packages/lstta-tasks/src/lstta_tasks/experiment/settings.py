"""A config as others read it: its values by key, for resuming and for studies, and its text as a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lstta_tasks.experiment.factories import callable_of, plain
from lstta_tasks.experiment.runner import schedulers_of
from lstta_tasks.experiment.sections import OPTIONAL, SECTIONS

if TYPE_CHECKING:
    from mmengine.config import Config

WHERE = re.compile(
    r"task\.root|clips\.(cache|prefix)|loader\.(workers|timeout)|log_interval|encoders\.\w+\.(model|revision)"
    r"|(default_hooks|vis_backends)(\..*)?"
)
"""Keys of a config that say where things are or how they are read. What comes out does not depend on them: the samples
and the encoders' weights have digests of their own."""


def settings_of(config: Config, *, into_lists: bool = True) -> dict[str, Any]:
    """A config's values by dotted key, as JSON can say them: with the schedulers that its schedule stands for, and
    callables by their addresses.

    Args:
        config: whose.
        into_lists: whether the entries of a list of dicts have keys of their own, as in ``param_scheduler.0.end``.
    """
    sections = {**plain(dict(config.items())), "param_scheduler": schedulers_of(config)}
    whole = {key: sections[key] for key in SECTIONS if key in sections and key != "schedule"}
    whole = {key: value for key, value in whole.items() if value or key not in OPTIONAL}
    return {key: _said(value, key) for key, value in _flat(whole, into_lists)}


def as_python(config: Config) -> str:
    """The config with all that it builds on and is given, as a file that ``load_config`` reads."""
    return str(config.pretty_text).strip()


def _flat(value: Any, into_lists: bool, key: str = "") -> Iterator[tuple[str, Any]]:
    """Values under dotted keys."""
    entries: Iterable[tuple[Any, Any]]
    if isinstance(value, Mapping):
        entries = value.items()
    elif into_lists and isinstance(value, list) and any(isinstance(inner, Mapping) for inner in value):
        entries = enumerate(value)
    else:
        yield key, value
        return
    for name, inner in entries:
        yield from _flat(inner, into_lists, f"{key}.{name}" if key else str(name))


def _said(value: Any, key: str) -> Any:
    """A value with callables as their addresses, those of a config that was written into a run folder too."""
    if isinstance(value, Mapping):
        return {name: _said(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_said(inner, "") for inner in value]
    if isinstance(value, str) and key.rpartition(".")[2] == "type" and {".", ":"} & set(value):
        # A word alone is no address: hooks take options with a type of their own.
        value = callable_of(key.removesuffix(".type"), value)
    return f"{value.__module__}.{value.__qualname__}" if callable(value) else value
