"""Read caches of decoded clips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lstta_tasks.data import cache_layout as layout
from lstta_tasks.data.cache_environment import Environment, environment
from lstta_tasks.data.cache_layout import CacheError
from lstta_tasks.data.cache_record import is_intact, read_header, stored_checksum, unpack
from lstta_tasks.data.clip import Clip
from lstta_tasks.data.preprocessing import Preprocessing

__all__ = ["CacheError", "CacheReader", "CacheSet", "open_cache"]

# What reading a record may raise once its header or its pictures are not what was written.
_DAMAGE = (ValueError, LookupError, TypeError, ArithmeticError, OSError, MemoryError)


class CacheReader:
    """A finished cache folder.

    Any number of readers of one path may exist in a process, and in its children however they were started; a reader
    may be pickled. Nothing is locked, and what a reader returned stays valid for ever.

    Args:
        path: the cache's folder.
        preprocessing: what the caller needs; None to take what the cache has.

    Attributes:
        path: the folder.
        meta: schema, codec, preprocessing, fingerprint, count and digest.
        preprocessing: what the clips were made with.

    Raises:
        CacheError: there is no cache, it is unfinished or cut off, another version wrote it, or its preprocessing is
            not the wanted one.
    """

    def __init__(self, path: Path | str, preprocessing: Preprocessing | None = None) -> None:
        self.path = Path(path)
        self._environment: Environment | None = None
        _check_exists(self.path)
        with self._begin() as txn:
            found = txn.get(layout.META_KEY)
            if found is None:
                raise CacheError(f"{self.path} is an unfinished cache: run the command that builds it once more")
            self.meta: dict[str, Any] = layout.load_json(found)
        layout.check_schema(self.path, self.meta)
        try:
            self.preprocessing = Preprocessing.from_dict(self.meta["preprocessing"])
        except ValueError as error:
            raise self._damaged(error) from error
        if preprocessing is not None:
            layout.check_preprocessing(self.path, self.meta, preprocessing)

    def __len__(self) -> int:
        return int(self.meta["count"])

    def __contains__(self, clip_id: object) -> bool:
        if not isinstance(clip_id, str):
            return False
        with self._begin() as txn:
            return txn.get(layout.key(layout.CLIP, clip_id)) is not None

    def ids(self) -> list[str]:
        """The ids of all clips, in the order of their keys."""
        with self._begin() as txn:
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
            frames: (T, F, H, W, 3): where the frames are to be put, such as a place in a batch; by default an array of
                their own.
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
        """What is known of a clip without reading it: its source's identity, codec, duration, what there is.

        Raises:
            KeyError: the cache does not have it.
        """
        with self._record(clip_id) as record:
            return read_header(record)

    def checksum(self, clip_id: str) -> str:
        """32 hexadecimal digits that change with the clip's content.

        Raises:
            KeyError: the cache does not have it.
        """
        with self._record(clip_id) as record:
            return stored_checksum(record).hex()

    def read_record(self, clip_id: str) -> bytes:
        """One clip as it is stored, see :mod:`lstta_tasks.data.cache_record`.

        Raises:
            KeyError: the cache does not have it.
        """
        with self._record(clip_id) as record:
            return bytes(record)

    def headers(self) -> Iterator[dict[str, Any]]:
        """The headers of all clips, in the order of their keys."""
        with self._begin() as txn:
            for _, record in layout.entries(txn, layout.CLIP):
                yield read_header(record)

    @cached_property
    def failures(self) -> dict[str, str]:
        """The reason for each clip that could not be decoded when the cache was built, by id."""
        with self._begin() as txn:
            found = [layout.load_json(value) for _, value in layout.entries(txn, layout.FAILURE)]
        return {failure["id"]: failure["reason"] for failure in found}

    def checksums(self) -> dict[bytes, bytes]:
        """The stored checksum of each clip, by its key in the file."""
        with self._begin() as txn:
            return layout.checksums(txn)

    def digest(self) -> str:
        """64 hexadecimal digits, equal for caches with equal clips, computed from what is in the file now."""
        return layout.digest(self.checksums())

    def verify(self) -> dict[str, str]:
        """Read everything: the reason for each damaged clip, by id, and for the file as a whole by its path.

        Empty where all is as it was written. Every clip must have its checksum, be found by its key, and count.
        """
        damaged: dict[str, str] = {}
        try:
            with self._begin() as txn:
                for name, record in tqdm(
                    layout.entries(txn, layout.CLIP), total=len(self), unit="clip", disable=None, desc="verify"
                ):
                    if not is_intact(record):
                        damaged[layout.shown(name)] = "its checksum does not fit its content"
                    elif txn.get(name) is None:
                        damaged[layout.shown(name)] = "it cannot be found by its key"
                stored = txn.get(layout.SETTINGS_KEY)
                found = {**self.meta, **layout.load_json(stored or b"{}")}
                if found != self.meta:
                    damaged[str(self.path)] = "its meta record is not what was written"
                if not damaged and layout.digest(layout.checksums(txn)) != self.meta["digest"]:
                    damaged[str(self.path)] = "clips are missing, or are not those that were written"
        except CacheError as error:
            damaged[str(self.path)] = str(error)
        return damaged

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_environment": None}

    @contextmanager
    def _begin(self) -> Iterator[lmdb.Transaction]:
        # The same file opened twice, or used across a fork, would be an error: see cache_environment.
        if self._environment is None or not self._environment.is_usable():
            self._environment = environment(self.path)
        try:
            with self._environment.lmdb.begin(buffers=True) as txn:
                yield txn
        except CacheError:
            raise
        except (lmdb.Error, ValueError) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> CacheError:
        return CacheError(f"{self.path} is damaged: {error}. Copy it again, or remove it and build it anew.")

    @contextmanager
    def _record(self, clip_id: str) -> Iterator[memoryview]:
        with self._begin() as txn:
            record = txn.get(layout.key(layout.CLIP, clip_id))
            if record is None:
                reason = self.failures.get(clip_id)
                because = f": it could not be decoded: {reason}" if reason else ""
                raise KeyError(f"clip {clip_id!r} is not in the cache {self.path}{because}")
            yield memoryview(record)


class CacheSet:
    """Several caches with the same preprocessing, read as one: the shards of a build, or of several data sets.

    Has the methods of :class:`CacheReader`. A clip that is in several is read from the first.

    Raises:
        CacheError: one of them cannot be read, or they differ in preprocessing.
    """

    def __init__(self, paths: Sequence[Path | str], preprocessing: Preprocessing | None = None) -> None:
        if not paths:
            raise CacheError("a set of caches needs at least one path")
        first = CacheReader(paths[0], preprocessing)
        self.readers = [first, *(CacheReader(path, first.preprocessing) for path in paths[1:])]
        self.path = first.path.parent
        self.preprocessing = first.preprocessing
        self._reader_of = {clip_id: reader for reader in reversed(self.readers) for clip_id in reader.ids()}

    def __len__(self) -> int:
        return len(self._reader_of)

    def __contains__(self, clip_id: object) -> bool:
        return clip_id in self._reader_of

    def ids(self) -> list[str]:
        """The ids of all clips, sorted."""
        return sorted(self._reader_of)

    def read(
        self, clip_id: str, frames: NDArray[np.uint8] | None = None, sound: NDArray[np.int16] | None = None
    ) -> Clip:
        """See :meth:`CacheReader.read`."""
        return self._find(clip_id).read(clip_id, frames, sound)

    def header(self, clip_id: str) -> dict[str, Any]:
        """See :meth:`CacheReader.header`."""
        return self._find(clip_id).header(clip_id)

    def checksum(self, clip_id: str) -> str:
        """See :meth:`CacheReader.checksum`."""
        return self._find(clip_id).checksum(clip_id)

    @cached_property
    def meta(self) -> dict[str, Any]:
        """See :attr:`CacheReader.meta`; of all clips together, as if one machine had built them."""
        return {**self.readers[0].meta, "count": len(self), "digest": self.digest()}

    def digest(self) -> str:
        """See :meth:`CacheReader.digest`."""
        found: dict[bytes, bytes] = {}
        for reader in reversed(self.readers):
            found |= reader.checksums()
        return layout.digest(found)

    @property
    def failures(self) -> dict[str, str]:
        """See :attr:`CacheReader.failures`; without clips that another of the caches has."""
        found = {clip_id: why for reader in self.readers for clip_id, why in reader.failures.items()}
        return {clip_id: why for clip_id, why in found.items() if clip_id not in self}

    def verify(self) -> dict[str, str]:
        """See :meth:`CacheReader.verify`."""
        return {clip_id: why for reader in self.readers for clip_id, why in reader.verify().items()}

    def _find(self, clip_id: str) -> CacheReader:
        try:
            return self._reader_of[clip_id]
        except KeyError:
            reason = self.failures.get(clip_id)
            because = f": it could not be decoded: {reason}" if reason else ""
            places = ", ".join(str(reader.path) for reader in self.readers)
            raise KeyError(f"clip {clip_id!r} is in none of the caches {places}{because}") from None


def open_cache(path: Path | str, preprocessing: Preprocessing | None = None) -> CacheReader | CacheSet:
    """The cache at a path, whether one machine built it or several did, each a shard.

    Raises:
        CacheError: see :class:`CacheReader`; or shards are missing.
    """
    path = Path(path)
    counts = layout.shard_counts(path)
    if (path / layout.DATA_FILE).exists() or not counts:
        return CacheReader(path, preprocessing)
    if len(counts) > 1:
        raise CacheError(f"{path} holds shards of different builds (of {sorted(counts)}): remove all but one build's")
    (count,) = counts
    wanted = [layout.shard_folder(path, index, count) for index in range(count)]
    if missing := [folder.name for folder in wanted if not (folder / layout.DATA_FILE).exists()]:
        raise CacheError(f"{path} lacks {', '.join(missing)}: build the missing shards first")
    return CacheSet(wanted, preprocessing)


def _check_exists(path: Path) -> None:
    if (path / layout.DATA_FILE).is_file():
        return
    if layout.partial_folder(path).is_dir():
        raise CacheError(f"{path} is not finished: run the command that builds it once more, it goes on where it was")
    if layout.shard_counts(path):
        raise CacheError(f"{path} is a cache in shards: open it with open_cache")
    raise CacheError(f"there is no cache at {path}: build it first (tools/cache.py build)")
