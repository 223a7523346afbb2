"""Verify a cache in a process of its own: LMDB trusts its pages, and one that points astray ends the reader."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from lstta_tasks.data.cache import CacheError, open_cache


def verify_cache(path: Path | str) -> tuple[int, dict[str, str]]:
    """How many clips a cache has, and the damage that :meth:`~lstta_tasks.data.cache.CacheReader.verify` finds.

    Raises:
        CacheError: it cannot be opened, see :func:`~lstta_tasks.data.cache.open_cache`.
    """
    # The child must find the same packages, wherever the program that started us put them.
    paths = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    child = subprocess.run(
        [sys.executable, "-m", "lstta_tasks.data.verify_cache", str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
        check=False,
    )
    if child.returncode < 0:
        end = signal.Signals(-child.returncode).name
        reason = f"its tree of pages is damaged: reading it ends in {end}. Copy it again, or build it anew."
        return 0, {str(path): reason}
    if child.returncode > 0:
        raise RuntimeError(f"verifying {path} failed (exit code {child.returncode}); see its message above")
    said = json.loads(child.stdout)
    if "error" in said:
        raise CacheError(said["error"])
    return said["clips"], said["damaged"]


def _main(path: str) -> None:
    try:
        reader = open_cache(path)
        said = {"clips": len(reader), "damaged": reader.verify()}
    except CacheError as error:
        said = {"error": str(error)}
    print(json.dumps(said))


if __name__ == "__main__":
    _main(sys.argv[1])
