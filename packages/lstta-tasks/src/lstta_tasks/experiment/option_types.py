"""Options of a config of another type than the annotation of what takes them, said before it is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lstta_core.checked import RecordError, check
from lstta_tasks.signatures import Factory, hints_of


def check_types(section: str, factory: Factory, options: Mapping[str, Any]) -> None:
    """Refuse an option that is not what its annotation says. Annotations of what JSON cannot say ask for nothing.

    Raises:
        ValueError: such an option; the message names its key, its value and the type.
    """
    hints = hints_of(factory)
    for name, value in options.items():
        try:
            check(hints.get(name, Any), _as_json(value), "", f"{section}.{name}")
        except RecordError as error:
            wanted = str(error).removeprefix(": ")
            for of_json, of_python in (("null", "None"), ("object", "dict")):
                wanted = wanted.replace(f" or {of_json} is wanted", f" or {of_python} is wanted")
            raise ValueError(wanted) from error


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _as_json(one) for key, one in value.items()}
    return [_as_json(one) for one in value] if isinstance(value, list | tuple) else value
