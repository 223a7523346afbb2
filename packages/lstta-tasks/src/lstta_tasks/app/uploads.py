"""Where uploads lie while they are asked about: a folder that forgets them, and that is removed at the end."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType

EVERY = 5.0
"""Seconds between two looks at the folder."""


class Uploads:
    """A temporary folder, swept until the block ends: ``with Uploads(…) as uploads``.

    Args:
        seconds: that an upload stays after it was last used.
        most_bytes: of all uploads together; beyond it those go first that were used longest ago.
    """

    def __init__(self, *, seconds: float, most_bytes: int) -> None:
        self.seconds = seconds
        self.most_bytes = most_bytes
        self.folder = Path()
        self._kept: set[Path] = set()
        self._ended = threading.Event()

    def __enter__(self) -> Uploads:
        self.folder = Path(tempfile.mkdtemp(prefix="lstta-app-")).resolve()
        threading.Thread(target=self._sweep_until_the_end, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        shutil.rmtree(self.folder, ignore_errors=True)

    def keep_what_is_there(self) -> None:
        """Never remove the files that are in the folder now, such as examples."""
        self._kept = set(self._files())

    def use(self, *paths: Path | None) -> bool:
        """Uploads are asked about, and their time begins anew; whether they are still there."""
        try:
            for path in paths:
                if path is not None:
                    os.utime(path)
        except FileNotFoundError:
            return False
        return True

    def sweep(self) -> None:
        """Remove what was not used for long, and what is too much."""
        used = {}
        for path in self._files():
            try:
                used[path] = path.stat()
            except FileNotFoundError:  # an upload that is moved to where it stays
                continue
        now, left = time.time(), self.most_bytes
        for path, stat in sorted(used.items(), key=lambda one: -one[1].st_mtime):
            left -= stat.st_size
            if path not in self._kept and (left < 0 or now - stat.st_mtime > self.seconds):
                path.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]

    def _sweep_until_the_end(self) -> None:
        while not self._ended.wait(EVERY):
            self.sweep()
