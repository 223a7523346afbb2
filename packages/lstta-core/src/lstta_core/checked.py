"""What a JSON file says, checked against plain dataclasses before anything is made of it. Imports no torch.

A dataclass is the schema: its fields are the keys, their annotations the types, a default makes a key optional. Keys
that it does not have are refused, unless it is marked with :func:`open_record`: those are then somebody else's.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path, PurePath
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Kind = TypeVar("Kind", bound=type)

MOST_BYTES = 8 << 20
"""Of a file of JSON: text takes many times its size in memory once it is read."""
_WHOLE = range(-(2**63), 2**63)
_OPEN: set[type] = set()


class RecordError(ValueError):
    """A key of a record is missing, not known or of another type; the message names file, key and value."""


def open_record(kind: Kind) -> Kind:
    """Mark a dataclass as one whose records may have more keys, which are not looked at."""
    _OPEN.add(kind)
    return kind


def read_json(path: Path) -> Any:
    """What a file of JSON in UTF-8 says.

    Raises:
        RecordError: it is none, or larger than :data:`MOST_BYTES`.
        OSError: it cannot be read.
    """
    if (size := path.stat().st_size) > MOST_BYTES:
        raise RecordError(f"{path}: {size:,} bytes; a record has {MOST_BYTES:,} at most")
    return parse_json(path.read_bytes(), path)


def parse_json(data: bytes, place: object) -> Any:
    """What bytes of JSON in UTF-8 say.

    Raises:
        RecordError: they are none; ``place`` says where they are from.
    """
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_no_number)
        if b"\\ud" in data.lower():  # perhaps half a character, which no file or terminal takes
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{place}: not JSON ({error}); the file is damaged") from error
    return value


def check(kind: Any, value: object, place: object, key: str = "") -> None:
    """Refuse a value that is not what an annotation says: a dataclass, or a type of what JSON can say.

    Numbers are finite, and whole ones fit into 64 bits. Annotations of other things say nothing here.

    Args:
        kind: the annotation.
        value: as JSON gave it.
        place: the file, for messages.
        key: where in it, with dots; empty for all of it.

    Raises:
        RecordError: it is something else.
    """
    if is_dataclass(kind) and isinstance(kind, type):
        _check_record(kind, value, place, key)
        return
    origin, inner = get_origin(kind) or kind, get_args(kind)
    if origin in (list, Sequence) and isinstance(value, list):
        for number, one in enumerate(value):
            check(inner[0] if inner else Any, one, place, f"{key}.{number}")
    elif origin in (dict, Mapping) and isinstance(value, dict):
        for name, one in value.items():
            if inner and not _fits(name, inner[0]):
                raise RecordError(f"{place}: {_dotted(key, name)}: nothing reads it; {_wanted(inner[0])} is wanted")
            check(inner[1] if inner else Any, one, place, _dotted(key, name))
    elif origin in (Union, UnionType) and (nested := _nested(inner, value)) is not None:
        check(nested, value, place, key)
    elif not _fits(value, kind):
        raise RecordError(f"{place}: {key or 'all of it'}: {_wanted(kind)} is wanted, got {shown(value)}")


def shown(value: object) -> str:
    """A value in a message, shortened."""
    try:
        text = f"{value!r:.80}"
    except RecursionError:
        return f"a {type(value).__name__} of many in each other"
    return text if len(text) < 80 else f"{text}…"


def _check_record(kind: type, value: object, place: object, key: str) -> None:
    if not isinstance(value, dict):
        raise RecordError(f"{place}: {key or 'all of it'}: object is wanted, got {shown(value)}")
    hints = _hints(kind)
    if kind not in _OPEN and (unknown := [name for name in value if name not in hints]):
        raise RecordError(f"{place}: {_dotted(key, unknown[0])}: nothing reads it; there are {', '.join(hints)}")
    for field in fields(kind):
        if field.name in value:
            check(hints[field.name], value[field.name], place, _dotted(key, field.name))
        elif field.default is MISSING and field.default_factory is MISSING:
            raise RecordError(f"{place}: {_dotted(key, field.name)}: it is missing")


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _nested(kinds: tuple[Any, ...], value: object) -> Any:
    """The one of several types that looks into a value; None where none does."""
    if isinstance(value, dict):
        return next((one for one in kinds if is_dataclass(one) or (get_origin(one) or one) in (dict, Mapping)), None)
    if isinstance(value, list):
        return next((one for one in kinds if (get_origin(one) or one) in (list, Sequence)), None)
    return None


def _fits(value: object, kind: Any) -> bool:
    origin, inner = get_origin(kind) or kind, get_args(kind)
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in inner)
    if origin is Literal:
        return type(value) is not bool and value in inner
    if origin is tuple:
        return _fits_tuple(value, inner)
    if origin in (list, Sequence):
        return isinstance(value, list) and (not inner or all(_fits(one, inner[0]) for one in value))
    if origin in (dict, Mapping):
        return isinstance(value, dict) and (not inner or all(_fits(one, inner[1]) for one in value.values()))
    if origin in (None, type(None)):
        return value is None
    if is_dataclass(kind):
        return isinstance(value, dict)
    if origin is int:
        return type(value) is int and value in _WHOLE
    if origin is float:
        return (type(value) is float and math.isfinite(value)) or (type(value) is int and value in _WHOLE)
    if origin in (str, bool):
        return type(value) is origin
    if isinstance(origin, type) and issubclass(origin, PurePath):
        return isinstance(value, str | PurePath)
    return True


def _fits_tuple(value: object, inner: tuple[Any, ...]) -> bool:
    if not isinstance(value, list):
        return False
    kinds = inner[:1] * len(value) if inner[1:] == (Ellipsis,) else inner
    return not inner or (len(value) == len(kinds) and all(map(_fits, value, kinds)))


def _wanted(kind: Any) -> str:
    origin, inner = get_origin(kind) or kind, get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(map(_wanted, inner))
    if origin is Literal:
        return f"one of {', '.join(map(str, inner))}"
    if origin in (list, Sequence, tuple):
        return f"list of {', '.join(_wanted(one) for one in inner if one is not Ellipsis)}" if inner else "list"
    if origin in (None, type(None)):
        return "null"
    if is_dataclass(kind) or origin in (dict, Mapping):
        return "object"
    return getattr(kind, "__name__", str(kind))


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _dotted(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name
