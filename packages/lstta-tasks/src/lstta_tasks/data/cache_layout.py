"""What is where in a cache folder: file names, keys, the settings and the meta record.

A finished cache is a folder with one LMDB file, which is never written to again: a build that adds clips writes a
new file and puts it in place of the old one. While it is being built the folder's name ends in ``.partial``.

    __settings__   JSON: schema, codec, preprocessing and its fingerprint; written first
    clip:<id>      a clip's record, see cache_record
    file:<id>      JSON: which files it was made of, see cache_files
    fail:<id>      JSON: id and reason of a clip that could not be decoded
    __meta__       JSON: the settings again, count and digest; the digests of caches that this one grew out of, with all
                   of their clips; written last, so that it tells a finished cache
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lmdb

from lstta_core.checked import MOST_BYTES, RecordError, parse_json
from lstta_core.checked import shown as shown_value
from lstta_tasks.data.cache_record import BODY, MAGIC, Codec
from lstta_tasks.data.clip import Preprocessing

SCHEMA = 2
DATA_FILE = "data.mdb"
OF_FINISHED = ("count", "digest", "grown_from")
"""What the meta record has besides the settings."""
SETTINGS_KEY = b"__settings__"
META_KEY = b"__meta__"
CLIP = b"clip"
FAILURE = b"fail"
FILES = b"file"
MAX_KEY = 511


def key(kind: bytes, clip_id: str) -> bytes:
    """The key of a clip or a failure. LMDB allows 511 bytes: longer ids are hashed."""
    text = clip_id.encode(errors="surrogatepass")
    name = kind + b":" + text
    return name if len(name) <= MAX_KEY else kind + b"#" + hashlib.sha256(text).hexdigest().encode()


def is_plain(name: bytes) -> bool:
    """Whether a key holds the id itself, not its hash."""
    return name[len(CLIP) : len(CLIP) + 1] == b":"


def shown(name: bytes) -> str:
    """The id in a key, or its hash; damaged bytes are escaped."""
    return name[len(CLIP) + 1 :].decode(errors="backslashreplace")


def entries(txn: lmdb.Transaction, kind: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """All (key, value) of one kind, in the order of their keys; values are valid as long as the transaction."""
    with txn.cursor() as cursor:
        if not cursor.set_range(kind):
            return
        for name, value in cursor:
            if bytes(name[: len(kind)]) != kind:
                return
            yield bytes(name), memoryview(value)


def stored_checksum(record: memoryview) -> bytes:
    """The checksum in the record (16 bytes); equal clips of equal sources have equal ones."""
    return bytes(record[len(MAGIC) : BODY])


def checksums(txn: lmdb.Transaction) -> dict[bytes, bytes]:
    """The checksum of each clip, by key."""
    return {name: stored_checksum(record) for name, record in entries(txn, CLIP)}


def digest(checksums: dict[bytes, bytes]) -> str:
    """64 hexadecimal digits that depend on the clips' ids and contents alone, not on who built them when."""
    total = hashlib.sha256()
    for name in sorted(checksums):
        total.update(len(name).to_bytes(4, "little") + name + checksums[name])
    return total.hexdigest()


def settings(preprocessing: Preprocessing, codec: Codec) -> dict[str, Any]:
    """What every clip of a cache has in common."""
    return {
        "schema": SCHEMA,
        "codec": codec,
        "fingerprint": preprocessing.fingerprint(),
        "preprocessing": asdict(preprocessing),
    }


def partial_folder(path: Path) -> Path:
    """Where a cache is while it is being built."""
    return path.with_name(f"{path.name}.partial")


def load_json(value: bytes | memoryview) -> dict[str, Any]:
    """A settings, meta or failure record; a RecordError where it is none."""
    if len(value) > MOST_BYTES:
        raise RecordError(f"a record of {len(value):,} bytes; {MOST_BYTES:,} at most are read")
    loaded = parse_json(bytes(value), "a record")
    if not isinstance(loaded, dict):
        raise RecordError(f"a record: an object is wanted, got {shown_value(loaded)}")
    return loaded


def dump_json(value: dict[str, Any]) -> bytes:
    """The inverse of :func:`load_json`; equal dicts give equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
