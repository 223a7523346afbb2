"""Training on a CPU with glibc: keep freed memory instead of giving it back to the system after every step.

A step frees and takes the same large blocks again; by default glibc maps each anew, and the kernel clears every page.
Called by the command line alone: it changes the whole process.
"""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4  # of glibc's malloc.h


def keep_freed_memory() -> bool:
    """Tell the allocator of this process; whether it is glibc's and took it. Nothing where there is a GPU."""
    import torch

    if not sys.platform.startswith("linux") or torch.cuda.is_available():
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # another C library
        return False
    settings = {M_MMAP_MAX: 0, M_TRIM_THRESHOLD: 2**31 - 1, M_TOP_PAD: 2**26}
    return all(mallopt(option, value) for option, value in settings.items())
