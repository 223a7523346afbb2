"""What is true of a scene: who is seen, who moves, who sounds, and how. Pure functions, no pictures, no sound.

Performers are named by their index in ``scene.performers``. Intervals are half open, in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from lstta_world.scene import POSITIONS, Gesture, Note, Position, Scene, Syllable

JOIN = 0.3  # notes less than this many seconds apart are one phrase


def visible(scene: Scene) -> list[tuple[str, Position]]:
    """Instrument and position of every visible performer, from left to right."""
    return [
        (performer.instrument, performer.position)
        for position in POSITIONS
        for performer in scene.performers
        if performer.position == position
    ]


def visible_performers(scene: Scene) -> list[int]:
    """The visible performers, from left to right."""
    order = {position: i for i, position in enumerate(POSITIONS)}
    seen = [(order[p.position], i) for i, p in enumerate(scene.performers) if p.position is not None]
    return [i for _, i in sorted(seen)]


def heard(scene: Scene) -> list[int]:
    """The performers that sound at any time, visible or not, in the order in which they come in."""
    return sorted({note.performer for note in scene.notes}, key=lambda i: (onset(scene, i), i))


def notes_of(scene: Scene, performer: int) -> list[Note]:
    """The notes of one performer, in time."""
    return [note for note in scene.notes if note.performer == performer]


def phrases(events: Iterable[Note | Gesture | Syllable]) -> list[tuple[float, float]]:
    """The spans that events cover, with gaps shorter than :data:`JOIN` closed."""
    spans: list[tuple[float, float]] = []
    for start, end in sorted((event.onset, event.onset + event.duration) for event in events):
        if spans and start - spans[-1][1] < JOIN:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def motions(scene: Scene, performer: int) -> list[Note | Gesture]:
    """All movements of a performer, played and mimed, in time."""
    events: list[Note | Gesture] = [*notes_of(scene, performer)]
    events += [gesture for gesture in scene.gestures if gesture.performer == performer]
    return sorted(events, key=lambda event: event.onset)


def onset(scene: Scene, performer: int) -> float:
    """When it comes in; infinity if it never sounds."""
    return min((note.onset for note in notes_of(scene, performer)), default=math.inf)


def end(scene: Scene, performer: int) -> float:
    """When it falls silent for good; minus infinity if it never sounds."""
    return max((note.onset + note.duration for note in notes_of(scene, performer)), default=-math.inf)


def playing_time(scene: Scene, performer: int) -> float:
    """Seconds within its phrases."""
    return sum(stop - start for start, stop in phrases(notes_of(scene, performer)))


def rhythm(scene: Scene, performer: int) -> float:
    """Notes per second of playing; 0 if it never sounds."""
    played = notes_of(scene, performer)
    return len(played) / playing_time(scene, performer) if played else 0.0


def loudness(scene: Scene, performer: int) -> float:
    """The mean gain of its notes; 0 if it never sounds."""
    played = notes_of(scene, performer)
    return sum(note.loudness for note in played) / len(played) if played else 0.0


def overlap(scene: Scene, first: int, second: int) -> float:
    """Seconds in which both are within a phrase."""
    return sum(
        max(0.0, min(end_a, end_b) - max(start_a, start_b))
        for start_a, end_a in phrases(notes_of(scene, first))
        for start_b, end_b in phrases(notes_of(scene, second))
    )


def sounding(scene: Scene, start: float, end: float, least: float = 0.1) -> dict[str, float]:
    """Instruments that sound for at least ``least`` seconds in [start, end), with the gain of their loudest note."""
    result: dict[str, float] = {}
    for i, performer in enumerate(scene.performers):
        inside = [note for note in notes_of(scene, i) if note.onset < end and note.onset + note.duration > start]
        if sum(min(n.onset + n.duration, end) - max(n.onset, start) for n in inside) >= least:
            loudest = max(note.loudness for note in inside)
            result[performer.instrument] = max(loudest, result.get(performer.instrument, 0.0))
    return result


def moving(scene: Scene, start: float, end: float, least: float = 0.1) -> list[tuple[str, Position]]:
    """Visible performers that move for at least ``least`` seconds in [start, end), left to right; mimed or played."""
    result = []
    for i in visible_performers(scene):
        covered = sum(max(0.0, min(b, end) - max(a, start)) for a, b in phrases(motions(scene, i)))
        position = scene.performers[i].position
        if covered >= least and position is not None:
            result.append((scene.performers[i].instrument, position))
    return result


def speaking(scene: Scene, start: float, end: float, least: float = 0.1) -> bool:
    """Whether the voice-over speaks for at least ``least`` seconds in [start, end)."""
    return sum(max(0.0, min(b, end) - max(a, start)) for a, b in phrases(scene.voice)) >= least
