"""Write a cache so that a kill at any moment loses at most the last second's clips."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import lmdb

from lstta_core.whole_files import sync, write_whole
from lstta_tasks.data import cache_layout as layout
from lstta_tasks.data.cache import CacheError, CacheReader
from lstta_tasks.data.cache_layout import DATA_FILE, key

_FIRST_MAP_SIZE = 1 << 30
_COMMIT_BYTES = 1 << 26
_COMMIT_SECONDS = 1.0
MOST_GROWN = 100  # caches that one knows it grew out of


class CacheWriter:
    """The one writer of a cache that is being built, in its ``.partial`` folder; see ``resumable_build`` for the rest.

    Clips are written in transactions of up to 64 MB or one second; an interrupted one leaves the file as it was
    before. Leaving the ``with`` block writes what is pending, whatever happened.

    Args:
        folder: the ``.partial`` folder; made where it is missing, gone on with where it is there.
        settings: see :func:`lstta_tasks.data.cache_layout.settings`.
        base: a finished cache whose clips are taken over, for a new folder.

    Raises:
        CacheError: nothing can be written there.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], base: Path | None = None) -> None:
        self.folder = folder
        self._pending: list[tuple[bytes, bytes | None]] = []
        self._pending_bytes = 0
        self._committed = time.monotonic()
        self._settings = settings
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if base is not None and not (folder / DATA_FILE).exists():
                write_whole(folder / DATA_FILE, lambda draft: shutil.copyfile(base / DATA_FILE, draft))
            # No lock file: build_lock keeps other writers away, and there are no readers yet.
            self._lmdb = lmdb.open(str(folder), map_size=_FIRST_MAP_SIZE, lock=False, readahead=False)
        except (OSError, lmdb.Error) as error:
            self._take_back()
            raise self._trouble(error) from error
        self._put(layout.META_KEY, None)
        self._put(layout.SETTINGS_KEY, layout.dump_json(settings))
        self.commit()

    def __enter__(self) -> CacheWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not isinstance(value, CacheError):  # then writing itself has failed
                self.commit()
        finally:
            self._lmdb.close()

    def add(self, clip_id: str, record: bytes) -> None:
        """Write a clip, in place of an older one of the same id."""
        self._put(key(layout.FAILURE, clip_id), None)
        self._put(key(layout.CLIP, clip_id), record)
        self._put(key(layout.FILES, clip_id), None)
        self._maybe_commit()

    def note(self, clip_id: str, files: dict[str, Any]) -> None:
        """Write of which files a clip is, see ``cache_files``."""
        self._put(key(layout.FILES, clip_id), layout.dump_json(files))

    def fail(self, clip_id: str, reason: str) -> None:
        """List a clip as one that cannot be decoded."""
        self._put(key(layout.CLIP, clip_id), None)
        self._put(key(layout.FILES, clip_id), None)
        self._put(key(layout.FAILURE, clip_id), layout.dump_json({"id": clip_id, "reason": reason}))
        self._maybe_commit()

    def commit(self) -> None:
        """Write what is pending to the disk, all or nothing; grow the map as often as that needs.

        Raises:
            CacheError: the disk is full or fails. What was committed before is kept.
        """
        while self._pending:
            try:
                with self._lmdb.begin(write=True) as txn:
                    for name, value in self._pending:
                        if value is None:
                            txn.delete(name)
                        else:
                            txn.put(name, value)
            except lmdb.MapFullError:
                # The transaction is lost, so all of it is written again.
                self._grow()
            except lmdb.Error as error:
                raise self._trouble(error) from error
            else:
                self._pending.clear()
        self._pending_bytes = 0
        self._committed = time.monotonic()

    def publish(self, path: Path) -> None:
        """Write the meta record, close, and put the cache where readers look for it, in one step.

        Raises:
            CacheError: it cannot be put there; on Windows this process must have no reader of the old one either.
        """
        self.commit()
        with self._lmdb.begin(buffers=True) as txn:
            clips = layout.checksums(txn)
        meta = {
            **self._settings,
            "count": len(clips),
            "digest": layout.digest(clips),
            "grown_from": _within(clips, path),
        }
        self._put(layout.META_KEY, layout.dump_json(meta))
        self.commit()
        pages = (self._lmdb.info()["last_pgno"] + 1) * self._lmdb.stat()["psize"]
        self._lmdb.close()
        data = self.folder / DATA_FILE
        with data.open("r+b") as file:
            # LMDB does not write pages that it took and gave back: without this the end could seem cut off. And on
            # Windows its file is as long as its map.
            file.truncate(pages)
        sync(data)
        try:
            if path.is_dir():
                data.replace(path / DATA_FILE)
                shutil.rmtree(self.folder)
            else:
                self.folder.rename(path)
        except PermissionError as error:
            raise CacheError(
                f"{path} cannot be replaced: {error}. Does a process read it? On Windows nothing that is open is: end "
                "what reads it, and run the same command again; what was written is kept"
            ) from error
        sync(path)
        sync(path.parent)

    def _take_back(self) -> None:
        """Leave nothing behind of a folder in which nothing could be kept."""
        data = self.folder / DATA_FILE
        if self.folder.is_dir() and not (data.exists() and data.stat().st_size):
            shutil.rmtree(self.folder, ignore_errors=True)

    def _put(self, name: bytes, value: bytes | None) -> None:
        self._pending.append((name, value))
        self._pending_bytes += len(value or b"")

    def _maybe_commit(self) -> None:
        if self._pending_bytes >= _COMMIT_BYTES or time.monotonic() - self._committed >= _COMMIT_SECONDS:
            self.commit()

    def _grow(self) -> None:
        size = self._lmdb.info()["map_size"]
        try:
            self._lmdb.set_mapsize(2 * size)
        except (lmdb.Error, OverflowError) as error:
            raise self._trouble(error) from error

    def _trouble(self, error: Exception) -> CacheError:
        free = shutil.disk_usage(self.folder if self.folder.exists() else self.folder.parent).free
        return CacheError(
            f"cannot write the cache {self.folder}: {error} ({free / 1e6:,.0f} MB are free there). Clips written "
            "before are kept: make room, and run the same command again."
        )


def _within(clips: dict[bytes, bytes], path: Path) -> list[str]:
    """The digests of the cache at a path, and of those that it grew out of, where all of its clips are among these."""
    if not (path / DATA_FILE).exists():
        return []
    before = CacheReader(path)
    if any(clips.get(name) != checksum for name, checksum in before.checksums().items()):
        return []
    return [*before.meta.get("grown_from", []), before.meta["digest"]][-MOST_GROWN:]
