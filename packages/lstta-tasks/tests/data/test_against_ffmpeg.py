"""Every picture is the one that FFmpeg's own program shows at that time, whatever the file is like."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from ffmpeg import Reference, planes, reference
from odd_films import FAST, make, names

from lstta_tasks.data.clip import ClipSource
from lstta_tasks.data.decode import find
from lstta_tasks.data.pictures import PictureReader

ALL_COUNTS = range(1, 25)
SOME_COUNTS = (1, 3, 8, 24)


def assert_same(found: bytes, wanted: bytes, name: str, place: str) -> None:
    """Equal in every plane; MPEG-4 part 2 has no exact arithmetic."""
    if found != wanted:
        assert "mpeg4" in name or "xvid" in name, place
        assert len(found) == len(wanted), place
        difference = np.abs(np.frombuffer(found, np.uint8).astype(int) - np.frombuffer(wanted, np.uint8))
        assert difference.mean() <= 1, place


def compare(path: Path, shown: Reference, counts: range | tuple[int, ...]) -> int:
    """How many pictures were compared: those of so many equal segments, as a clip has them."""
    pictures, _, length = find(ClipSource("a", path))
    assert pictures is not None
    compared = 0
    with closing(PictureReader(pictures)) as reader:
        first = reader.at(-1e9)[0]
    for segments in counts:
        with closing(PictureReader(pictures)) as reader:
            for segment in range(segments):
                time = pictures.start + (segment + 0.5) / segments * length
                _, picture = reader.at(time)
                place = f"{path.name}: {segment} of {segments}, at {time:.3f} s"
                assert_same(planes(picture), shown.at(time - first), path.name, place)
                compared += 1
    return compared


@pytest.mark.parametrize("name", FAST)
def test_some_films(name: str, tmp_path: Path) -> None:
    path = make(name, tmp_path)
    assert compare(path, reference(path), SOME_COUNTS) == sum(SOME_COUNTS)


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_all_films(name: str, tmp_path: Path) -> None:
    path = make(name, tmp_path)
    assert compare(path, reference(path), ALL_COUNTS) == sum(ALL_COUNTS)
