"""A source is refused where no clip could come of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstta_tasks.data.clip import ClipSource


@pytest.mark.parametrize(
    ("start", "end"),
    [(-1.0, 2.0), (2.0, 2.0), (3.0, 2.0), (float("nan"), None), (0.0, float("nan")), (float("inf"), None)],
)
def test_times_that_are_no_span_are_refused(start: float, end: float | None) -> None:
    with pytest.raises(ValueError, match=r"clip 'a' runs from .* which is no span"):
        ClipSource("a", Path("v.mp4"), start=start, end=end)


def test_a_source_needs_an_id_and_a_file() -> None:
    with pytest.raises(ValueError, match="id that is not empty"):
        ClipSource("", Path("v.mp4"))
    with pytest.raises(ValueError, match="clip 'a' has neither a video nor a sound file"):
        ClipSource("a")
