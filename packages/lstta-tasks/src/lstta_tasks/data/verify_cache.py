"""Verify a cache in a process of its own: LMDB trusts its pages, and one that points astray ends the reader."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from tqdm import tqdm

from lstta_tasks.data import cache_layout as layout
from lstta_tasks.data.cache import CacheError, CacheReader, open_cache
from lstta_tasks.data.cache_packing import is_intact
from lstta_tasks.data.cache_shards import CacheSet
from lstta_tasks.data.child import command, environment


def verify_cache(path: Path | str) -> tuple[int, dict[str, str]]:
    """How many clips a cache has, and the damage that :func:`damage_in` finds.

    Raises:
        CacheError: it cannot be opened, see :func:`~lstta_tasks.data.cache.open_cache`.
    """
    child = subprocess.run(
        command("lstta_tasks.data.verify_cache", str(path)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=environment(),
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


def damage_in(cache: CacheReader | CacheSet) -> dict[str, str]:
    """Read everything: the reason for each damaged clip, by id, and for the file as a whole by its path.

    Empty where all is as it was written. Every clip must have its checksum, be found by its key, and count.
    """
    if isinstance(cache, CacheSet):
        return {clip_id: why for reader in cache.readers for clip_id, why in damage_in(reader).items()}
    damaged: dict[str, str] = {}
    try:
        with cache.reading() as txn:
            for name, record in tqdm(
                layout.entries(txn, layout.CLIP), total=len(cache), unit="clip", disable=None, desc="verify"
            ):
                if not is_intact(record):
                    damaged[layout.shown(name)] = "its checksum does not fit its content"
                elif txn.get(name) is None:
                    damaged[layout.shown(name)] = "it cannot be found by its key"
            stored = txn.get(layout.SETTINGS_KEY)
            if {**cache.meta, **layout.load_json(stored or b"{}")} != cache.meta:
                damaged[str(cache.path)] = "its meta record is not what was written"
            if not damaged and layout.digest(layout.checksums(txn)) != cache.meta["digest"]:
                damaged[str(cache.path)] = "clips are missing, or are not those that were written"
    except CacheError as error:
        damaged[str(cache.path)] = str(error)
    return damaged


def _main(path: str) -> None:
    try:
        cache = open_cache(path)
        said = {"clips": len(cache), "damaged": damage_in(cache)}
    except CacheError as error:
        said = {"error": str(error)}
    print(json.dumps(said))


if __name__ == "__main__":
    _main(sys.argv[1])
