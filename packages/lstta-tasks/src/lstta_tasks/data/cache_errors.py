"""What can be wrong with a cache, in words: the folder, the reason and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstta_core.checked import RecordError, check
from lstta_tasks.data import cache_layout as layout
from lstta_tasks.data.cache_checks import MetaRecord, check_meta
from lstta_tasks.data.clip import Preprocessing
from lstta_tasks.data.preprocessing import differences, preprocessing_from


class CacheError(ValueError):
    """A cache cannot be read or written. The message names the folder, the reason and the way out."""


class BeingBuiltError(CacheError):
    """Another process builds the cache at this moment."""


def absent(path: Path, *, prefix: bool = False) -> CacheError:
    """There is none, of clips or of a frozen prefix's states, or it is not whole."""
    if layout.partial_folder(path).is_dir():
        return CacheError(f"{path} is not finished: run the command that builds it once more, it goes on where it was")
    if any(path.glob("shard-*-of-*")):
        return CacheError(f"{path} is a cache in shards: open it with open_cache")
    what, verb, key = ("prefix cache", "prefix", "clips.prefix") if prefix else ("cache", "build", "clips.cache")
    return CacheError(f"there is no {what} at {path}: build it first (lstta cache {verb}), or set {key} to where it is")


def cut_off(path: Path, size: int, needed: int) -> CacheError:
    """The file has fewer bytes than it says."""
    return CacheError(
        f"{path / layout.DATA_FILE} is cut off: {size} of {needed} bytes are there. Copy it again, or build it anew."
    )


def damaged(path: Path, error: Exception) -> CacheError:
    """Something in the file is not as it was written."""
    return CacheError(f"{path} is damaged: {error}. Copy it again, or remove it and build it anew.")


def lacking(clip_id: str, path: Path, failures: Mapping[str, str]) -> str:
    """The cache does not have a clip; where it could not be decoded, why."""
    reason = failures.get(clip_id)
    because = f": it could not be decoded: {reason}" if reason else ""
    return f"clip {clip_id!r} is not in the cache {path}{because}"


def other_schema(path: Path, meta: Mapping[str, Any]) -> CacheError:
    """Another version of this package wrote it."""
    anew = "remove it and build it anew (lstta cache build CONFIG, and lstta cache prefix CONFIG if you use one)"
    way_out = "upgrade lstta-tasks" if meta["schema"] > layout.SCHEMA else anew
    return CacheError(
        f"{path} has cache schema {meta['schema']}, this version of lstta-tasks reads {layout.SCHEMA}: {way_out}"
    )


def other_preprocessing(path: Path, meta: Mapping[str, Any], wanted: Preprocessing) -> CacheError:
    """It was built with other settings than are wanted; every one is named."""
    lines = differences(wanted, made_with(path, meta))
    if not lines:
        return CacheError(
            f"{path} was decoded by another version of lstta-tasks, which may have other pictures and sound in places: "
            "remove it and build it anew (lstta cache build CONFIG, and lstta cache prefix CONFIG if you use one)"
        )
    return CacheError(
        f"{path} was built with other preprocessing ('here' is wanted, 'there' is the cache):\n  "
        + "\n  ".join(lines)
        + "\nBuild another cache under another path, or change the settings back."
    )


def made_with(path: Path, meta: Mapping[str, Any]) -> Preprocessing:
    """The preprocessing in a cache's meta record.

    Raises:
        CacheError: it is none.
    """
    try:
        return preprocessing_from(meta["preprocessing"])
    except ValueError as error:
        raise damaged(path, error) from error


def checked_meta(path: Path, data: bytes | memoryview, entries: int) -> dict[str, Any]:
    """The meta record of a finished cache.

    Args:
        path: of its folder.
        data: of the record.
        entries: how many there are in the file.

    Raises:
        CacheError: it is none, or another version's.
    """
    try:
        meta: dict[str, Any] = layout.load_json(data)
        if type(meta.get("schema")) is int and meta["schema"] != layout.SCHEMA:
            raise other_schema(path, meta)
        check_meta(meta, "its meta record", entries)
    except RecordError as error:
        raise damaged(path, error) from error
    return meta


def replaced(path: Path, reason: str) -> CacheError:
    """Another cache took its place while it was read."""
    return CacheError(
        f"{path} was replaced while it was read: {reason}. Start again; a training resumes with --resume."
    )


def check_settings(path: Path, settings: Mapping[str, Any], preprocessing: Preprocessing) -> None:
    """Raise a CacheError where a cache that is being built is another version's, or of other preprocessing."""
    if type(settings.get("schema")) is int and settings["schema"] != layout.SCHEMA:
        raise other_schema(path, settings)
    try:
        check(MetaRecord, {"count": 0, "digest": "", **settings}, "its settings record")
    except RecordError as error:
        raise damaged(path, error) from error
    if settings["fingerprint"] != preprocessing.fingerprint():
        raise other_preprocessing(path, settings, preprocessing)
