"""One process at a time: a lock file beside what is to be had alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, SoftFileLock, Timeout


class NoLocksError(OSError):
    """The file system has no locks."""


@contextmanager
def lock_beside(path: Path, *, wait: bool = False) -> Iterator[bool]:
    """Whether this process has the path for itself; it loses it when it ends, however it ends.

    The lock is the operating system's. The file ``.<name>.lock`` that carries it stays, and means nothing by itself.

    Args:
        path: a file or folder, there or not.
        wait: until others are done with it.

    Raises:
        NoLocksError: the file system has no locks.
        OSError: the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.with_name(f".{path.name}.lock")
    lock = FileLock(file, timeout=-1 if wait else 0)
    with suppress(Timeout):
        lock.acquire()
    if not lock.is_locked:
        yield False
        return
    try:
        if isinstance(lock, SoftFileLock):  # filelock's stopgap where there are none; a kill would leave it held
            raise NoLocksError(f"{file}: a file system without locks")
        yield True
    finally:
        lock.release()
