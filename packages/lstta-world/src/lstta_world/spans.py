"""Spans of time, (start, end) in seconds, half open; and when performers of a scene do what.

Lists of spans are sorted, disjoint, and without empty ones.
"""

from __future__ import annotations

from collections.abc import Iterable

from lstta_world import truth
from lstta_world.scene import Scene

ENTRY = 1.0  # seconds in which an instrument comes in
Span = tuple[float, float]
Spans = list[Span]


def union(spans: Iterable[Span]) -> Spans:
    """The seconds that any of them covers."""
    joined: Spans = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def intersection(first: Spans, second: Spans) -> Spans:
    """The seconds that both cover."""
    return union((max(a, c), min(b, d)) for a, b in first for c, d in second)


def complement(spans: Spans, duration: float) -> Spans:
    """The seconds from 0 to ``duration`` that none covers; spans may reach beyond."""
    edges = [0.0, *(edge for span in spans for edge in span), duration]
    return union(zip(edges[::2], edges[1::2], strict=True))


def covered(spans: Spans, start: float, end: float) -> float:
    """How many seconds of [start, end) they cover."""
    return sum(max(0.0, min(b, end) - max(a, start)) for a, b in spans)


def playing(scene: Scene, performers: Iterable[int]) -> Spans:
    """When any of them sounds."""
    return union(span for i in performers for span in truth.phrases(truth.notes_of(scene, i)))


def entries(scene: Scene, performers: Iterable[int]) -> Spans:
    """When any of them comes in: the first second of its sound, or less at the clip's end."""
    onsets = (truth.onset(scene, i) for i in performers)
    return union((onset, min(onset + ENTRY, scene.duration)) for onset in onsets)


def left_alone(scene: Scene, performer: int) -> Spans:
    """When it plays on while all others have fallen silent."""
    others = (truth.end(scene, i) for i in truth.heard(scene) if i != performer)
    return union([(max(others, default=0.0), truth.end(scene, performer))])
