"""Options that are numbers, checked where they are taken: a width of 0 would fail far from whoever wrote it."""

from __future__ import annotations

import math


def check_counts(**options: object) -> None:
    """Raise a ValueError that names the option where one is no whole number of 1 or more."""
    for name, value in options.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name}: a whole number, 1 or more is wanted, got {value!r}")


def check_above_zero(**options: object) -> None:
    """Raise a ValueError that names the option where one is no finite number above 0."""
    for name, value in options.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise ValueError(f"{name}: a number above 0 is wanted, got {value!r}")
