"""Which files the clips of a cache were made of, and whether annotations still name those.

A clip's record says it for every machine, under its checksum: size and digest of each file, and the span. An entry
beside it says it for this one: the files' paths and times as well. Where these are still the same no file is read;
where one is not, the digest decides. A file that is not there says nothing: caches are copied to where no media are.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from tqdm import tqdm

from lstta_tasks.data.cache_errors import CacheError
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.escaped import escaped

if TYPE_CHECKING:
    from lstta_tasks.data.cache import CacheReader
    from lstta_tasks.data.cache_shards import CacheSet

KINDS = ("video", "sound")
MOST = 5  # clips that a message shows

logger = logging.getLogger(__name__)
_checked: WeakKeyDictionary[CacheReader | CacheSet, set[ClipSource]] = WeakKeyDictionary()


def identity(source: ClipSource) -> dict[str, Any]:
    """What a clip is made of, the same wherever its files are: their sizes in bytes and digests, and its span.

    Raises:
        OSError: a file cannot be read.
    """
    found: dict[str, Any] = {"start": source.start, "end": source.end}
    for kind in KINDS:
        path = getattr(source, kind)
        found[f"{kind}_bytes"] = None if path is None else path.stat().st_size
        found[f"{kind}_digest"] = None if path is None else digest_of(path)
    return found


def seen(source: ClipSource) -> dict[str, Any]:
    """Path, size and time of each file as it is now; None for one that is not there, or that the clip has not."""
    return {kind: None if (path := getattr(source, kind)) is None else _look(path) for kind in KINDS}


def known_files(made_of: Mapping[str, Any], seen: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A clip's entry: its :func:`identity` once more, and its files as :func:`seen` said; unseen ones by default."""
    return {"made_of": dict(made_of), "seen": dict(seen or dict.fromkeys(KINDS))}


def is_of(source: ClipSource, known: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a clip with this entry is that of a source, whose files are as :func:`seen` says, if they are there.

    Raises:
        OSError: a file has to be read, and cannot be.
    """
    made_of = known["made_of"]
    if (made_of["start"], made_of["end"]) != (source.start, source.end):
        return False
    for kind in KINDS:
        path, size = getattr(source, kind), made_of[f"{kind}_bytes"]
        if (path is None) != (size is None):
            return False
        if now[kind] is None or now[kind] == known["seen"][kind]:
            continue
        if now[kind][1] != size or digest_of(path) != made_of[f"{kind}_digest"]:
            return False
    return True


def check_sources(cache: CacheReader | CacheSet, sources: Iterable[ClipSource]) -> None:
    """See to it that the clips of a cache are those of the files that annotations name; each is looked at once.

    Args:
        cache: that has the clips.
        sources: from the annotations.

    Raises:
        CacheError: some are of other files, or of another span of them; it names both.
    """
    checked = _checked.setdefault(cache, set())
    wrong: list[str] = []
    read = 0
    for source in tqdm([s for s in dict.fromkeys(sources) if s not in checked], desc="files", delay=2, disable=None):
        known, now = cache.made_of(source.id), seen(source)
        if is_of(source, known, now):
            checked.add(source)
            read += any(now[kind] not in (None, known["seen"][kind]) for kind in KINDS)
        else:
            wrong.append(f"{source.id}: {difference(source, known)}")
    if wrong:
        more = [f"… and {len(wrong) - MOST:,} more"] if len(wrong) > MOST else []
        lines = "\n  ".join(["", *map(escaped, wrong[:MOST]), *more])
        raise CacheError(
            f"{cache.path}: {len(wrong):,} of the clips in the cache are of other files than the annotations name:"
            f"{lines}\nGive this data set a cache of its own (clips.cache), or, where its files have changed, run "
            "lstta cache build with this config once more."
        )
    if read:
        logger.warning(
            "%s: the files of %d clips have another path or time than when it was built, so their content was "
            "compared, and is the same; lstta cache build with this config notes the new ones",
            cache.path,
            read,
        )


def digest_of(path: Path) -> str:
    """32 hexadecimal digits that change with a file's content; computed once as long as its size and time stay."""
    found = path.stat()
    return _digest(str(path), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=1 << 16)
def _digest(path: str, *_: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def difference(source: ClipSource, known: Mapping[str, Any]) -> str:
    """What the cache has, and what the annotations name."""
    made_of, then, now = known["made_of"], known["seen"], seen(source)
    cached = [(kind, then[kind] or ["a file"]) for kind in KINDS if made_of[f"{kind}_bytes"] is not None]
    wanted = [(kind, now[kind] or [_absolute(path)]) for kind in KINDS if (path := getattr(source, kind)) is not None]
    has = " and ".join(_shown(file[0], made_of[f"{kind}_bytes"]) for kind, file in cached)
    names = " and ".join(_shown(*file[:2]) for _, file in wanted)
    spans = (made_of["start"], made_of["end"]), (source.start, source.end)
    if spans[0] != spans[1]:
        has, names = (f"{_span(*span)} of {files}" for span, files in zip(spans, (has, names), strict=True))
    return f"the cache has {has}, the annotations name {names}" + (", with other content" if has == names else "")


def _shown(path: str, size: int | None = None) -> str:
    return path if size is None else f"{path} ({size:,} bytes)"


def _span(start: float | None, end: float | None) -> str:
    return f"{start or 0:g} s to {'the end' if end is None else f'{end:g} s'}"


def _look(path: Path) -> list[Any] | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return [_absolute(path), found.st_size, found.st_mtime_ns]  # a list, as JSON gives it back


def _absolute(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 — a link's own name, and no look at every folder above it
