"""One process at a time: a lock file beside what is to be had alone."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def lock_beside(path: Path, *, wait: bool = False) -> Iterator[bool]:
    """Whether this process has the path for itself; it loses it when it ends, however it ends.

    Args:
        path: a file or folder, there or not; ``<path>.lock`` is there as long as somebody has it.
        wait: until others are done with it.

    Raises:
        OSError: the file system has no locks, or the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.with_name(f"{path.name}.lock")
    descriptor = _lock(file, wait)
    if descriptor is None:
        yield False
        return
    try:
        yield True
    finally:
        file.unlink()
        os.close(descriptor)


def _lock(file: Path, wait: bool) -> int | None:
    """The open file, locked; None where another process has it."""
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return None
            raise OSError(error.errno, f"{error.strerror} (a file system without locks?)", str(file)) from error
        # The last owner removes the file: make sure that this is the one others will find.
        with suppress(FileNotFoundError):
            if os.fstat(descriptor).st_ino == file.stat().st_ino:
                return descriptor
        os.close(descriptor)
