"""Open LMDB files for reading: once a process, again after a fork, never one that was cut off."""

from __future__ import annotations

import os
import threading
import weakref
from pathlib import Path

import lmdb

from lstta_tasks.data.cache_layout import DATA_FILE, CacheError


class Environment:
    """An open cache file. Readers of one file share it, and it closes with the last of them."""

    def __init__(self, path: Path) -> None:
        try:
            self.lmdb = lmdb.open(
                str(path), readonly=True, create=False, lock=False, readahead=False, meminit=False, max_spare_txns=0
            )
        except lmdb.Error as error:
            raise CacheError(f"{path / DATA_FILE} cannot be read as a cache: {error}. Build it anew.") from error
        self.pid = os.getpid()
        needed = (self.lmdb.info()["last_pgno"] + 1) * self.lmdb.stat()["psize"]
        size = (path / DATA_FILE).stat().st_size
        if size < needed:
            # Reading what is not there would end the process without a word.
            self.lmdb.close()
            raise CacheError(
                f"{path / DATA_FILE} is cut off: {size} of {needed} bytes are there. Copy it again, or build it anew."
            )

    def is_usable(self) -> bool:
        """False in a child that was forked with it."""
        return self.pid == os.getpid()


_open: weakref.WeakValueDictionary[tuple[int, int], Environment] = weakref.WeakValueDictionary()
_lock = threading.Lock()


def environment(path: Path) -> Environment:
    """The open environment of a cache folder in this process.

    Raises:
        CacheError: there is none, or it is damaged.
    """
    file = (path / DATA_FILE).stat()
    with _lock:
        found = _open.get((file.st_dev, file.st_ino))
        if found is None:
            found = _open[file.st_dev, file.st_ino] = Environment(path)
        return found


def _after_fork() -> None:
    """LMDB environments must not be used across a fork: a child drops its parent's, and opens its own when it reads."""
    global _lock
    _lock = threading.Lock()
    for inherited in list(_open.values()):
        inherited.lmdb.close()
    _open.clear()


os.register_at_fork(after_in_child=_after_fork)
