"""The one way in which caches are built: alone, on from where a killed build ended, published in one step.

Clips (:mod:`lstta_tasks.data.build_cache`) and states (:mod:`lstta_tasks.prefix.build`) are both built so.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lmdb

from lstta_tasks.data import cache_layout as layout
from lstta_tasks.data.cache import CacheError, CacheReader
from lstta_tasks.data.cache_errors import BeingBuiltError
from lstta_tasks.data.cache_record import read_header
from lstta_tasks.data.cache_writer import CacheWriter
from lstta_tasks.file_lock import lock_beside


@dataclass(frozen=True)
class Earlier:
    """What an earlier build left: one that was interrupted, or else the finished cache.

    Attributes:
        folder: of it.
        settings: what all its entries have in common; with count and digest where it is finished.
        sources: what each entry was made of, as its record's header says, by id.
        files: which files those were, see ``cache_files``, by id; of clips only.
        failures: why an entry could not be made, by id; of a finished cache only.
    """

    folder: Path
    settings: dict[str, Any]
    sources: dict[str, Any]
    files: dict[str, dict[str, Any]]
    failures: dict[str, str]


class ResumableBuild:
    """A build that goes on; made by :func:`resumable_build`.

    Attributes:
        path: of the cache.
        earlier: what there was; None where there was nothing.
    """

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.path = path
        self._partial = layout.partial_folder(path)
        self._stack = stack
        self._writer: CacheWriter | None = None
        self._finished = CacheReader(path) if (path / layout.DATA_FILE).exists() else None
        self._settings: dict[str, Any] = {}
        self.earlier = self._look()

    def begin(self, settings: dict[str, Any]) -> None:
        """Write with these settings from now on. A finished cache is copied only once there is something to add."""
        self._settings = settings
        if self._finished is None or self._partial.exists():
            self._open()

    def add(self, entry_id: str, record: bytes, files: dict[str, Any] | None = None) -> None:
        """Keep an entry, in place of an older one of the same id, and which files it was made of."""
        self._open().add(entry_id, record)
        if files is not None:
            self.note(entry_id, files)

    def note(self, entry_id: str, files: dict[str, Any]) -> None:
        """Keep which files an entry that is there is made of."""
        self._open().note(entry_id, files)

    def fail(self, entry_id: str, reason: str) -> None:
        """List an entry as one that cannot be made."""
        listed = self.earlier.failures if self.earlier is not None else {}
        if self._writer is not None or listed.get(entry_id) != reason:
            self._open().fail(entry_id, reason)

    def publish(self) -> None:
        """Put what was written where readers look for it; nothing where nothing was."""
        if self._writer is not None:
            self._finished = None  # closed: see there
            self._writer.publish(self.path)

    def _open(self) -> CacheWriter:
        if self._writer is None:
            base = None if self._finished is None else self.path
            self._writer = self._stack.enter_context(CacheWriter(self._partial, self._settings, base=base))
        return self._writer

    def _look(self) -> Earlier | None:
        data = self._partial / layout.DATA_FILE
        if data.exists() and data.stat().st_size > 0:
            settings, sources, files = _unfinished(self._partial)
            if settings is not None:
                return Earlier(self._partial, settings, sources, files, {})
        if self._partial.exists():  # of a build that was killed before it kept anything
            shutil.rmtree(self._partial)
        if self._finished is None:
            return None
        with self._finished.reading() as txn:
            sources, files = _entries(txn)
        return Earlier(self.path, self._finished.meta, sources, files, self._finished.failures)


@contextmanager
def resumable_build(path: Path) -> Iterator[ResumableBuild]:
    """Build a cache, or add to it. Where the context ends well it is published; else what was written is kept.

    Raises:
        CacheError: another process builds it, something there is damaged or no cache, or nothing can be written.
    """
    if path.exists() and not (path / layout.DATA_FILE).exists() and not _is_empty(path):
        raise CacheError(f"{path} is there already and is no cache: pass another path")
    with build_lock(path), ExitStack() as stack:
        build = ResumableBuild(path, stack)
        yield build
        build.publish()


@contextmanager
def build_lock(path: Path) -> Iterator[None]:
    """Keep a second builder of the same cache away, on this machine and where the file system has locks.

    Raises:
        BeingBuiltError: somebody else builds it at this moment.
        CacheError: the file system has no locks.
    """
    with ExitStack() as stack:
        try:
            alone = stack.enter_context(lock_beside(path))
        except OSError as error:
            raise CacheError(f"{path.parent} cannot be locked: {error}. Build on another file system.") from error
        if not alone:
            raise BeingBuiltError(f"another process builds {path} at this moment: wait for it, or pass another path")
        yield


def _is_empty(path: Path) -> bool:
    return path.is_dir() and all(entry.suffix == ".lock" for entry in path.iterdir())


def _entries(txn: lmdb.Transaction) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The sources and the files of all entries, by id."""
    sources: dict[str, Any] = {}
    files: dict[str, dict[str, Any]] = {}
    for name, record in layout.entries(txn, layout.CLIP):
        header = read_header(record)
        sources[header["id"]] = header["source"]
        if (stored := txn.get(layout.FILES + name[len(layout.CLIP) :])) is not None:
            files[header["id"]] = layout.load_json(stored)
    return sources, files


def _unfinished(folder: Path) -> tuple[dict[str, Any] | None, dict[str, Any], dict[str, dict[str, Any]]]:
    """The settings of a build that was interrupted, None if even before those, and its :func:`_entries`."""
    try:
        with (
            lmdb.open(str(folder), readonly=True, create=False, lock=False, readahead=False) as environment,
            environment.begin(buffers=True) as txn,
        ):
            stored = txn.get(layout.SETTINGS_KEY)
            settings = None if stored is None else layout.load_json(stored)
            return settings, *_entries(txn)
    except (lmdb.Error, ValueError) as error:
        raise CacheError(f"{folder} is damaged ({error}): remove it and build anew") from error
