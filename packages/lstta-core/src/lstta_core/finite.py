"""Numbers that are no numbers, NaN and infinite ones: an error before they reach a person or a file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


class NotFiniteError(ValueError):
    """Something holds a number that is NaN or infinite; the message says what, and the way out."""


def not_finite(tensors: Mapping[str, Tensor]) -> list[str]:
    """The names of the tensors that hold a number which is NaN or infinite, in their order."""
    return [name for name, tensor in tensors.items() if tensor.is_floating_point() and not tensor.isfinite().all()]


def few(names: list[str], most: int = 3) -> str:
    """Names for a message, the first of many."""
    shown = ", ".join(names[:most]) or "none"
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def bad_numbers(value: object, key: str = "") -> Iterator[str]:
    """``key is nan`` of each such number among plain dicts, lists and numbers, as JSON has them."""
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{key or 'the value'} is {value}"
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from bad_numbers(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from bad_numbers(inner, f"{key}.{place}" if key else str(place))
