"""Why an option of a config is refused: nobody takes it, or it is missing. The nearest name is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any


def check_arguments(
    factory: Callable[..., Any], takes: tuple[Mapping[str, bool], bool], section: str, options: Iterable[str]
) -> None:
    """Raise a ValueError that names the section where a factory does not take an option, or lacks one.

    Args:
        factory: that is, or would be, called.
        takes: its arguments, see :func:`~lstta_tasks.experiment.factories.arguments`.
        section: its place in the config.
        options: their names.
    """
    known, takes_any = takes
    for key in options:
        if key not in known and not takes_any:
            raise ValueError(f"{section}.{key}: {factory.__name__} does not take it{nearest(key, known)}")
    for key, needed in known.items():
        if needed and key not in options:
            raise ValueError(f"{section}.{key}: {factory.__name__} needs it")


def why_not_recorded(section: str, options: Mapping[str, Any]) -> str:
    """Which of a section's options JSON cannot say; there is one."""
    key = next(key for key, value in options.items() if not _is_json(value))
    return f"{section}.{key}: {options[key]!r} cannot be written into an adapter's record: use text, numbers and lists"


def nearest(key: str, known: Iterable[str]) -> str:
    """The end of a message about a key that is not known: the nearest one that is, or all of them."""
    names = list(known)
    near = get_close_matches(key, names, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(names)}" if names else ""


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True
