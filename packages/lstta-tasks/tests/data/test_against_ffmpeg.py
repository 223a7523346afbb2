"""Every picture is the one that FFmpeg's own program shows at that time, whatever the file is like."""

from __future__ import annotations

from pathlib import Path

import pytest
from ffmpeg import compare, reference
from odd_films import FAST, make, names

ALL_COUNTS = range(1, 25)
SOME_COUNTS = (1, 3, 8, 24)


@pytest.mark.parametrize("name", FAST)
def test_some_films(name: str, tmp_path: Path) -> None:
    path = make(name, tmp_path)
    assert compare(path, reference(path), SOME_COUNTS) == sum(SOME_COUNTS)


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_all_films(name: str, tmp_path: Path) -> None:
    path = make(name, tmp_path)
    assert compare(path, reference(path), ALL_COUNTS) == sum(ALL_COUNTS)
