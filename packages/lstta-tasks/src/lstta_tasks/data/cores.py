"""How many cores there are to share out work between."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """The cores that this process may use; all that there are where the system does not say which."""
    if hasattr(os, "sched_getaffinity"):  # on Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
