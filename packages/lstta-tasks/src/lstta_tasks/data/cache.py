"""Open and read caches of decoded clips; what is in them, see ``cache_layout``."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lmdb
import numpy as np
from numpy.typing import NDArray

from lstta_tasks.data import cache_layout as layout
from lstta_tasks.data.cache_layout import DATA_FILE
from lstta_tasks.data.cache_record import read_header, stored_checksum, unpack
from lstta_tasks.data.clip import Clip, Preprocessing

if TYPE_CHECKING:
    from lstta_tasks.data.cache_shards import CacheSet

_DAMAGE = (ValueError, LookupError, TypeError, ArithmeticError, OSError, MemoryError)  # what reading one may raise


class CacheError(ValueError):
    """A cache cannot be read or written. The message names the folder, the reason and the way out."""


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


class CacheReader:
    """A finished cache folder.

    Any number of readers of one path may exist in a process, and in its children however they were started; a reader
    may be pickled. Nothing is locked, and what a reader returned stays valid for ever.

    Args:
        path: the cache's folder.
        preprocessing: what the caller needs; None to take what the cache has.

    Attributes:
        meta: schema, codec, preprocessing, fingerprint, count and digest.
        preprocessing: what the clips were made with.

    Raises:
        CacheError: there is none, it is unfinished or cut off, another version's, or of other preprocessing.
    """

    def __init__(self, path: Path | str, preprocessing: Preprocessing | None = None) -> None:
        self.path = Path(path)
        self._environment: _Environment | None = None
        if not (self.path / DATA_FILE).is_file():
            raise _absent(self.path)
        with self.reading() as txn:
            meta = txn.get(layout.META_KEY)
            if meta is None:
                raise CacheError(f"{self.path} is an unfinished cache: run the command that builds it once more")
            self.meta: dict[str, Any] = json.loads(bytes(meta))
        check_schema(self.path, self.meta)
        try:
            self.preprocessing = Preprocessing.from_dict(self.meta["preprocessing"])
        except ValueError as error:
            raise self._damaged(error) from error
        if preprocessing is not None:
            check_preprocessing(self.path, self.meta, preprocessing)

    def __len__(self) -> int:
        return int(self.meta["count"])

    def __contains__(self, clip_id: object) -> bool:
        if not isinstance(clip_id, str):
            return False
        with self.reading() as txn:
            return txn.get(key(layout.CLIP, clip_id)) is not None

    def ids(self) -> list[str]:
        """The ids of all clips, in the order of their keys."""
        with self.reading() as txn:
            return [
                layout.shown(name) if layout.is_plain(name) else str(read_header(record)["id"])
                for name, record in layout.entries(txn, layout.CLIP)
            ]

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
        with self._record(clip_id) as record:
            try:
                return unpack(record, frames, sound)
            except _DAMAGE as error:
                raise CacheError(f"clip {clip_id!r} in {self.path} is damaged: {error}") from error

    def header(self, clip_id: str) -> dict[str, Any]:
        """A clip's source, codec and duration, and what it has; a KeyError where the cache lacks it."""
        with self._record(clip_id) as record:
            return read_header(record)

    def checksum(self, clip_id: str) -> str:
        """32 hexadecimal digits that change with the clip's content; a KeyError where the cache lacks it."""
        with self._record(clip_id) as record:
            return stored_checksum(record).hex()

    def read_record(self, clip_id: str) -> bytes:
        """One clip as it is stored, see ``cache_record``; a KeyError where the cache lacks it."""
        with self._record(clip_id) as record:
            return bytes(record)

    @cached_property
    def failures(self) -> dict[str, str]:
        """The reason for each clip that could not be decoded when the cache was built, by id."""
        with self.reading() as txn:
            failures = [layout.load_json(value) for _, value in layout.entries(txn, layout.FAILURE)]
        return {failure["id"]: failure["reason"] for failure in failures}

    def checksums(self) -> dict[bytes, bytes]:
        """The stored checksum of each clip, by its key in the file."""
        with self.reading() as txn:
            return layout.checksums(txn)

    def digest(self) -> str:
        """64 hexadecimal digits, equal for caches with equal clips, computed from what is in the file now."""
        return layout.digest(self.checksums())

    @contextmanager
    def reading(self) -> Iterator[lmdb.Transaction]:
        """A transaction; what it reads is valid as long as it is."""
        if self._environment is None or self._environment.pid != os.getpid():  # the latter in a child that was forked
            self._environment = _environment(self.path)
        try:
            with self._environment.lmdb.begin(buffers=True) as txn:
                yield txn
        except CacheError:
            raise
        except (lmdb.Error, ValueError) as error:
            raise self._damaged(error) from error

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_environment": None}

    def _damaged(self, error: Exception) -> CacheError:
        return CacheError(f"{self.path} is damaged: {error}. Copy it again, or remove it and build it anew.")

    @contextmanager
    def _record(self, clip_id: str) -> Iterator[memoryview]:
        with self.reading() as txn:
            record = txn.get(key(layout.CLIP, clip_id))
            if record is None:
                reason = self.failures.get(clip_id)
                because = f": it could not be decoded: {reason}" if reason else ""
                raise KeyError(f"clip {clip_id!r} is not in the cache {self.path}{because}")
            yield memoryview(record)


def key(kind: bytes, clip_id: str) -> bytes:
    """The key of a clip or a failure. LMDB allows 511 bytes: longer ids are hashed."""
    text = clip_id.encode(errors="surrogatepass")
    name = kind + b":" + text
    return name if len(name) <= layout.MAX_KEY else kind + b"#" + hashlib.sha256(text).hexdigest().encode()


def check_schema(path: Path, meta: dict[str, Any]) -> None:
    """Raise a CacheError where another version of this package wrote the cache."""
    if meta["schema"] != layout.SCHEMA:
        way_out = "upgrade lstta-tasks" if meta["schema"] > layout.SCHEMA else "build it anew"
        raise CacheError(
            f"{path} has cache schema {meta['schema']}, this version of lstta-tasks reads {layout.SCHEMA}: {way_out}"
        )


def check_preprocessing(path: Path, meta: dict[str, Any], wanted: Preprocessing) -> None:
    """Raise a CacheError that names every setting in which a cache differs from what is wanted."""
    if meta["fingerprint"] == wanted.fingerprint():
        return
    lines = wanted.differences(Preprocessing.from_dict(meta["preprocessing"]))
    if not lines:
        raise CacheError(
            f"{path} was decoded by another version of lstta-tasks, which may have other pictures and sound in places: "
            "remove it and build it anew (lstta cache build CONFIG, and lstta cache prefix CONFIG if you use one)"
        )
    raise CacheError(
        f"{path} was built with other preprocessing ('here' is wanted, 'there' is the cache):\n  "
        + "\n  ".join(lines)
        + "\nBuild another cache under another path, or change the settings back."
    )


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
            raise CacheError(
                f"{path / DATA_FILE} is cut off: {size} of {needed} bytes are there. Copy it again, or build it anew."
            )


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


os.register_at_fork(after_in_child=_after_fork)


def _absent(path: Path) -> CacheError:
    if layout.partial_folder(path).is_dir():
        return CacheError(f"{path} is not finished: run the command that builds it once more, it goes on where it was")
    if any(path.glob("shard-*-of-*")):
        return CacheError(f"{path} is a cache in shards: open it with open_cache")
    return CacheError(f"there is no cache at {path}: build it first (tools/cache.py build)")
