"""The texts of tasks whose clips have subtitles."""

from __future__ import annotations

from lstta_tasks.task import Sample


def texts_by_segment(sample: Sample, *, duration: float, segments: int) -> list[str | None]:
    """The text of each of a clip's segments: the sample's own, then the subtitles that overlap the segment.

    Args:
        sample: with its subtitles.
        duration: of the clip, in seconds.
        segments: T.
    """
    rows: list[str | None] = []
    for segment in range(segments):
        start, end = (duration * edge / segments for edge in (segment, segment + 1))
        said = [timed.text for timed in sample.timed if timed.start < end and timed.end > start]
        parts = [text for text in (sample.text, *said) if text]
        rows.append(" ".join(parts) or None)
    return rows
