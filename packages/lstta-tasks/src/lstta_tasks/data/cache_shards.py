"""Several caches read as one: the shards of a build, or of several data sets."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstta_tasks.data import cache_layout as layout
from lstta_tasks.data.cache import CacheError, CacheReader
from lstta_tasks.data.clip import Clip, Preprocessing

MOST_SHARDS = 10_000


class CacheSet:
    """Several caches with the same preprocessing.

    Has the methods of :class:`~lstta_tasks.data.cache.CacheReader`. A clip that is in several is read from the first.
    No list of clips is kept in memory: of millions it would be gigabytes in every worker.

    Args:
        paths: of the caches.
        preprocessing: what the caller needs; None to take what the caches have.
        shards: whether they are all shards of one build, in their order: an id then says where its clip is.

    Raises:
        CacheError: one of them cannot be read, or they differ in preprocessing.
    """

    def __init__(
        self, paths: Sequence[Path | str], preprocessing: Preprocessing | None = None, *, shards: bool = False
    ) -> None:
        if not paths:
            raise CacheError("a set of caches needs at least one path")
        first = CacheReader(paths[0], preprocessing)
        self.readers = [first, *(CacheReader(path, first.preprocessing) for path in paths[1:])]
        self.path = first.path.parent
        self.preprocessing = first.preprocessing
        self._shards = shards

    def __len__(self) -> int:
        return len(self.ids())

    def __contains__(self, clip_id: object) -> bool:
        return any(clip_id in reader for reader in self._likely(clip_id))

    def ids(self) -> list[str]:
        """The ids of all clips, sorted."""
        return sorted({clip_id for reader in self.readers for clip_id in reader.ids()})

    def read(
        self, clip_id: str, frames: NDArray[np.uint8] | None = None, sound: NDArray[np.int16] | None = None
    ) -> Clip:
        """See :meth:`CacheReader.read`."""
        return self._find(clip_id).read(clip_id, frames, sound)

    def header(self, clip_id: str) -> dict[str, Any]:
        """See :meth:`CacheReader.header`."""
        return self._find(clip_id).header(clip_id)

    def made_of(self, clip_id: str) -> dict[str, Any]:
        """See :meth:`CacheReader.made_of`."""
        return self._find(clip_id).made_of(clip_id)

    def checksum(self, clip_id: str) -> str:
        """See :meth:`CacheReader.checksum`."""
        return self._find(clip_id).checksum(clip_id)

    def read_record(self, clip_id: str) -> bytes:
        """See :meth:`CacheReader.read_record`."""
        return self._find(clip_id).read_record(clip_id)

    @cached_property
    def meta(self) -> dict[str, Any]:
        """See :attr:`CacheReader.meta`; of all clips together, as if one machine had built them."""
        return {**self.readers[0].meta, "count": len(self), "digest": self.digest()}

    def digest(self) -> str:
        """See :meth:`CacheReader.digest`."""
        checksums: dict[bytes, bytes] = {}
        for reader in reversed(self.readers):
            checksums |= reader.checksums()
        return layout.digest(checksums)

    @property
    def failures(self) -> dict[str, str]:
        """See :attr:`CacheReader.failures`; without clips that another of the caches has."""
        reasons = {clip_id: why for reader in self.readers for clip_id, why in reader.failures.items()}
        return {clip_id: why for clip_id, why in reasons.items() if clip_id not in self}

    def _find(self, clip_id: str) -> CacheReader:
        for reader in self._likely(clip_id):
            if clip_id in reader:
                return reader
        reason = self.failures.get(clip_id)
        because = f": it could not be decoded: {reason}" if reason else ""
        places = ", ".join(str(reader.path) for reader in self.readers)
        raise KeyError(f"clip {clip_id!r} is in none of the caches {places}{because}")

    def _likely(self, clip_id: object) -> Iterator[CacheReader]:
        """All readers, of shards the one that has the clip first. What all shards have is in none by its id."""
        if self._shards and isinstance(clip_id, str):
            yield self.readers[shard_of(clip_id, len(self.readers))]
        yield from self.readers


def open_shards(path: Path, preprocessing: Preprocessing | None = None) -> CacheSet:
    """All shards of the build in a folder.

    Raises:
        CacheError: one is missing or cannot be read, or they are of different builds.
    """
    counts = shard_counts(path)
    if len(counts) > 1:
        raise CacheError(f"{path} holds shards of different builds (of {sorted(counts)}): remove all but one build's")
    (count,) = counts
    if count > MOST_SHARDS:
        raise CacheError(f"{path} is said to be in {count:,} shards; {MOST_SHARDS:,} at most are read")
    wanted = [shard_folder(path, index, count) for index in range(count)]
    if missing := [folder.name for folder in wanted if not (folder / layout.DATA_FILE).exists()]:
        raise CacheError(f"{path} lacks {', '.join(missing)}: build the missing shards first")
    return CacheSet(wanted, preprocessing, shards=True)


def check_shards(path: Path, shard: tuple[int, int] | None) -> None:
    """Refuse to build what could not be read together with what is there.

    Args:
        path: of the whole.
        shard: (i, n), the i-th of n parts, 0 ≤ i < n; None for a cache in one piece.

    Raises:
        CacheError: there are other shards, or a cache in one piece.
        ValueError: there is no such part.
    """
    counts = shard_counts(path)
    if shard is None:
        if counts:
            raise CacheError(f"{path} is built in {max(counts)} shards: pass one of them, or another path")
        return
    index, count = shard
    if not 0 <= index < count:
        raise ValueError(f"shard {index}/{count}: the first number must be from 0 to {count - 1}")
    if (path / layout.DATA_FILE).exists():
        raise CacheError(f"{path} is a cache in one piece, its shards would never be read: pass another path")
    if others := counts - {count}:
        raise CacheError(f"{path} is built in {max(others)} shards, not in {count}: pass another path")


def shard_of(entry_id: str, count: int) -> int:
    """In which of so many shards an entry is. Its hash decides, so that more entries do not move those built."""
    return int.from_bytes(hashlib.sha256(entry_id.encode(errors="surrogatepass")).digest()[:8], "little") % count


def shard_folder(path: Path, index: int, count: int) -> Path:
    """Where part ``index`` of ``count`` of a cache that is built by several machines is."""
    return path / f"shard-{index}-of-{count}"


def shard_counts(path: Path) -> set[int]:
    """Into how many shards the builds in a folder are divided, finished or not: one number for one build."""
    names = (re.match(r"shard-\d+-of-(\d+)(\.partial)?$", folder.name) for folder in path.glob("shard-*-of-*"))
    return {int(match[1]) for match in names if match}
