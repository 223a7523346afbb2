"""Uploads are removed: when they are old, when they are too much, and at the end."""

from __future__ import annotations

import os
import time
from pathlib import Path

from lstta_tasks.app.uploads import Uploads


def put(uploads: Uploads, name: str, *, age: float, size: int = 7) -> Path:
    path = uploads.folder / name[:1] / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"." * size)
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_what_was_not_used_for_long_goes_and_examples_stay() -> None:
    with Uploads(seconds=60, most_bytes=1000) as uploads:
        example = put(uploads, "example", age=1000)
        uploads.keep_what_is_there()
        old, fresh, asked = put(uploads, "old", age=61), put(uploads, "fresh", age=10), put(uploads, "asked", age=1000)
        assert uploads.use(asked, None)
        uploads.sweep()
        assert [path.exists() for path in (example, old, fresh, asked)] == [True, False, True, True]
        assert not uploads.use(old)


def test_of_too_much_the_oldest_goes() -> None:
    with Uploads(seconds=60, most_bytes=20) as uploads:
        files = [put(uploads, name, age=age) for name, age in (("a", 30), ("b", 20), ("c", 10))]
        uploads.sweep()
        assert [path.exists() for path in files] == [False, True, True]


def test_at_the_end_the_folder_goes() -> None:
    with Uploads(seconds=60, most_bytes=1000) as uploads:
        put(uploads, "a", age=0)
    assert not uploads.folder.exists()
