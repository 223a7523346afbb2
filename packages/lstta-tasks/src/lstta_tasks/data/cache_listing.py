"""What a cache says without giving its clips: which there are, what is in them, and what could not be decoded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any

import lmdb

from lstta_core.checked import check
from lstta_tasks.data import cache_layout as layout
from lstta_tasks.data.cache_checks import ClipHeader, FailureRecord
from lstta_tasks.data.cache_files import known_files
from lstta_tasks.data.cache_record import read_header


class CacheListing(ABC):
    """The part of :class:`~lstta_tasks.data.cache.CacheReader` that training from clips does not need."""

    meta: dict[str, Any]

    @abstractmethod
    def reading(self) -> AbstractContextManager[lmdb.Transaction]:
        """A transaction; what it reads is valid as long as it is."""

    @abstractmethod
    def record(self, clip_id: str) -> AbstractContextManager[memoryview]:
        """One clip as it is stored, valid as long as the context; a KeyError where the cache lacks it."""

    def __len__(self) -> int:
        return int(self.meta["count"])

    def ids(self) -> list[str]:
        """The ids of all clips, in the order of their keys."""
        with self.reading() as txn:
            return [
                layout.shown(name) if layout.is_plain(name) else str(read_header(record)["id"])
                for name, record in layout.entries(txn, layout.CLIP)
            ]

    def header(self, clip_id: str) -> dict[str, Any]:
        """A clip's source, codec and duration, and what it has; a KeyError where the cache lacks it."""
        with self.record(clip_id) as record:
            header = read_header(record)
            check(ClipHeader, header, f"clip {clip_id!r}")
            return header

    def made_of(self, clip_id: str) -> dict[str, Any]:
        """Which files a clip was made of, see ``cache_files``; a KeyError where the cache lacks it."""
        with self.reading() as txn:
            stored = txn.get(layout.key(layout.FILES, clip_id))
            if stored is not None:
                return layout.load_json(stored)
        return known_files(self.header(clip_id)["source"])

    def checksum(self, clip_id: str) -> str:
        """32 hexadecimal digits that change with the clip's content; a KeyError where the cache lacks it."""
        with self.record(clip_id) as record:
            return layout.stored_checksum(record).hex()

    def read_record(self, clip_id: str) -> bytes:
        """One clip as it is stored, see ``cache_record``; a KeyError where the cache lacks it."""
        with self.record(clip_id) as record:
            return bytes(record)

    @cached_property
    def failures(self) -> dict[str, str]:
        """The reason for each clip that could not be decoded when the cache was built, by id."""
        with self.reading() as txn:
            failures = [layout.load_json(value) for _, value in layout.entries(txn, layout.FAILURE)]
            check(list[FailureRecord], failures, "what could not be decoded")
        return {failure["id"]: failure["reason"] for failure in failures}

    def checksums(self) -> dict[bytes, bytes]:
        """The stored checksum of each clip, by its key in the file."""
        with self.reading() as txn:
            return layout.checksums(txn)

    def digest(self) -> str:
        """64 hexadecimal digits, equal for caches with equal clips, computed from what is in the file now."""
        return layout.digest(self.checksums())
