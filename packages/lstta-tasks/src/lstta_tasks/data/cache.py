"""Open and read caches of decoded clips; what is in them, see ``cache_layout``."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import lmdb
import numpy as np
from numpy.typing import NDArray

from lstta_tasks.data import cache_errors as errors
from lstta_tasks.data import cache_layout as layout
from lstta_tasks.data.cache_errors import CacheError as CacheError
from lstta_tasks.data.cache_layout import DATA_FILE
from lstta_tasks.data.cache_listing import CacheListing
from lstta_tasks.data.cache_record import unpack
from lstta_tasks.data.clip import Clip, Preprocessing

if TYPE_CHECKING:
    from lstta_tasks.data.cache_shards import CacheSet

_DAMAGE = (ValueError, LookupError, TypeError, ArithmeticError, OSError, MemoryError)  # what reading one may raise


def open_cache(path: Path | str, preprocessing: Preprocessing | None = None) -> CacheReader | CacheSet:
    """The cache at a path, whether one machine built it or several did, each a shard.

    Raises:
        CacheError: see :class:`CacheReader`; or shards are missing.
    """
    if not (Path(path) / DATA_FILE).exists():
        from lstta_tasks.data.cache_shards import open_shards, shard_counts  # a set of these readers

        if shard_counts(Path(path)):
            return open_shards(Path(path), preprocessing)
    return CacheReader(path, preprocessing)


class CacheReader(CacheListing):
    """A finished cache folder.

    Any number of readers of one path may exist in a process, and in its children however they were started; a reader
    may be pickled. Nothing is locked, and what a reader returned stays valid for ever. A reader goes on with a cache
    that a build has put in place of the one it opened if that has the same clips and perhaps more, and with no other.

    Args:
        path: the cache's folder.
        preprocessing: what the caller needs; None to take what the cache has.

    Attributes:
        meta: schema, codec, preprocessing, fingerprint, count and digest.
        preprocessing: what the clips were made with.

    Raises:
        CacheError: there is none, it is unfinished or cut off, another version's, or of other preprocessing.
            Reading raises one, too, where the cache has been replaced by another.
    """

    def __init__(self, path: Path | str, preprocessing: Preprocessing | None = None) -> None:
        self.path = Path(path)
        self._environment: _Environment | None = None
        self._file: FileState | None = None
        if not (self.path / DATA_FILE).is_file():
            raise errors.absent(self.path)
        with self.reading() as txn:
            self.meta: dict[str, Any] = self._stored_meta(txn)
        if preprocessing is None:
            preprocessing = errors.made_with(self.path, self.meta)
        elif self.meta["fingerprint"] != preprocessing.fingerprint():
            raise errors.other_preprocessing(self.path, self.meta, preprocessing)
        self.preprocessing = preprocessing

    def __contains__(self, clip_id: object) -> bool:
        if not isinstance(clip_id, str):
            return False
        with self.reading() as txn:
            return txn.get(layout.key(layout.CLIP, clip_id)) is not None

    def read(
        self, clip_id: str, frames: NDArray[np.uint8] | None = None, sound: NDArray[np.int16] | None = None
    ) -> Clip:
        """One clip. Its arrays are the caller's own: copied once, straight out of the mapped file.

        Args:
            clip_id: the clip's.
            frames: (T, F, H, W, 3): where they are to be put, such as a place in a batch; by default an own array.
            sound: (T, n): likewise.

        Raises:
            KeyError: the cache does not have it; where it could not be decoded, the message says why.
            CacheError: its record is damaged.
        """
        with self.record(clip_id) as record:
            try:
                return unpack(record, frames, sound, self.preprocessing)
            except _DAMAGE as error:
                raise CacheError(f"clip {clip_id!r} in {self.path} is damaged: {error}") from error

    @contextmanager
    def reading(self) -> Iterator[lmdb.Transaction]:
        """A transaction; what it reads is valid as long as it is."""
        now = _file_state(self.path)
        if self._file != now:
            self._go_on_with(now)
        elif self._environment is None or self._environment.pid != os.getpid():  # the latter in a child that was forked
            self._environment = _environment(self.path)
        assert self._environment is not None
        try:
            with self._environment.lmdb.begin(buffers=True) as txn:
                yield txn
        except CacheError:
            raise
        except (lmdb.Error, ValueError) as error:
            raise errors.damaged(self.path, error) from error

    def _go_on_with(self, now: FileState) -> None:
        """Open what is in the cache's place now.

        Raises:
            CacheError: it is another cache than the one that this reader opened.
        """
        before = self._file
        # While it is open here, its number is no other file's; afterwards another may have it.
        opened = self._environment is not None
        if opened and before is not None and before.inode == now.inode and before.size != now.size:
            raise errors.replaced(self.path, "its file has another size now")
        environment = _environment(self.path)
        if before is not None:
            try:
                with environment.lmdb.begin(buffers=True) as txn:
                    meta = self._stored_meta(txn)
            except (lmdb.Error, ValueError) as error:
                raise errors.replaced(self.path, str(error)) from error
            if self.meta["digest"] not in (meta.get("digest"), *meta.get("grown_from", ())):
                raise errors.replaced(self.path, "it has other clips now")
        self._environment, self._file = environment, now

    def _stored_meta(self, txn: lmdb.Transaction) -> dict[str, Any]:
        meta = txn.get(layout.META_KEY)
        if meta is None:
            raise CacheError(f"{self.path} is an unfinished cache: run the command that builds it once more")
        return errors.checked_meta(self.path, meta, txn.stat()["entries"])

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_environment": None}

    @contextmanager
    def record(self, clip_id: str) -> Iterator[memoryview]:
        """One clip as it is stored, see ``cache_record``; valid as long as the context."""
        with self.reading() as txn:
            record = txn.get(layout.key(layout.CLIP, clip_id))
            if record is None:
                raise KeyError(errors.lacking(clip_id, self.path, self.failures))
            yield memoryview(record)


class FileState(NamedTuple):
    """Tells a file from another that is put in its place, and from what is written over it."""

    inode: tuple[int, int]
    size: int
    time: int


def _file_state(path: Path) -> FileState:
    try:
        found = os.stat(f"{path}/{DATA_FILE}")  # noqa: PTH116 — at each reading, and a Path takes as long as the call
    except OSError as error:
        raise errors.replaced(path, f"its file cannot be looked at ({error.strerror})") from error
    return FileState((found.st_dev, found.st_ino), found.st_size, found.st_mtime_ns)


class _Environment:
    """An open cache file. Readers of one file share it, and it closes with the last of them."""

    def __init__(self, path: Path) -> None:
        options = {"readonly": True, "create": False, "lock": False, "readahead": False, "meminit": False}
        try:
            self.lmdb = lmdb.open(str(path), max_spare_txns=0, **options)
        except lmdb.Error as error:
            raise CacheError(f"{path / DATA_FILE} cannot be read as a cache: {error}. Build it anew.") from error
        self.pid = os.getpid()
        needed = (self.lmdb.info()["last_pgno"] + 1) * self.lmdb.stat()["psize"]
        size = (path / DATA_FILE).stat().st_size
        if size < needed:  # reading what is not there would end the process without a word
            self.lmdb.close()
            raise errors.cut_off(path, size, needed)


_open: weakref.WeakValueDictionary[tuple[int, int], _Environment] = weakref.WeakValueDictionary()
_lock = threading.Lock()


def _environment(path: Path) -> _Environment:
    """The environment of a cache folder in this process: the same file opened twice would be an error."""
    file = (path / DATA_FILE).stat()
    with _lock:
        environment = _open.get((file.st_dev, file.st_ino))
        if environment is None:
            environment = _open[file.st_dev, file.st_ino] = _Environment(path)
        return environment


def _after_fork() -> None:
    """LMDB environments must not be used across a fork: a child drops its parent's, and opens its own when it reads."""
    global _lock
    _lock = threading.Lock()
    for inherited in list(_open.values()):
        inherited.lmdb.close()
    _open.clear()


if hasattr(os, "register_at_fork"):  # where processes fork at all
    os.register_at_fork(after_in_child=_after_fork)
