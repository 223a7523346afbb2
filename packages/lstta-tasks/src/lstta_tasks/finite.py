"""What a model gives, checked for numbers that are no numbers before it reaches a person or a file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import numpy as np
from torch import Tensor

from lstta_core.finite import NotFiniteError


def check_finite(value: object, whose: str) -> None:
    """Raise a NotFiniteError that says whose numbers these are where one is NaN or infinite.

    Args:
        value: numbers, tensors and arrays; dicts, sequences and dataclasses of them. Other things hold none.
        whose: of the message's first words, such as ``"film.mp4: what the model answers"``.
    """
    if not _finite(value):
        raise NotFiniteError(
            f"{whose} holds numbers that are NaN or infinite. Did training diverge? Look at its loss, and train anew "
            "with a lower learning rate"
        )


def _finite(value: object) -> bool:
    if isinstance(value, Tensor):
        return not value.is_floating_point() or bool(value.isfinite().all())
    if isinstance(value, np.ndarray):
        return not np.issubdtype(value.dtype, np.inexact) or bool(np.isfinite(value).all())
    if isinstance(value, float | np.floating):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(_finite(inner) for inner in value.values())
    if isinstance(value, list | tuple):
        return all(_finite(inner) for inner in value)
    if is_dataclass(value) and not isinstance(value, type):
        return all(_finite(getattr(value, field.name)) for field in fields(value))
    return True
