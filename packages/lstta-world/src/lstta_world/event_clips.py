"""Clips whose instruments come and go, for the eye and for the ear apart, as plain values. All of it is our choice.

A clip has ten seconds, three instruments at three places, and perhaps a voice. An instrument is seen in some seconds
and heard in some; it does not move, so that a picture never tells what is heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.random import Generator

from lstta_world.random_scenes import LOUDNESS_DB, NOTES_PER_SECOND, sample_performer
from lstta_world.scene import INSTRUMENTS, POSITIONS, Performer, Place
from lstta_world.splits import Split
from lstta_world.styles import STYLES, draw, draw_surroundings

SECONDS = 10
SWITCH = 0.3  # the probability that something comes or goes from one second to the next
SHORTEST = 2  # seconds of an event
Seconds = tuple[bool, ...]
"""In which of a clip's seconds something is so."""
NEVER = (False,) * SECONDS


@dataclass(frozen=True)
class Player:
    """An instrument: how it looks and sounds, and when.

    Attributes:
        performer: its looks, its place and its timbre.
        seen, heard: in which seconds.
        beats, cents, level, seed: of its melody, as ``random_scenes.play`` has them.
    """

    performer: Performer
    seen: Seconds
    heard: Seconds
    beats: float
    cents: float
    level: float
    seed: int

    @property
    def both(self) -> Seconds:
        """In which seconds it is seen and heard at once."""
        return tuple(s and h for s, h in zip(self.seen, self.heard, strict=True))


@dataclass(frozen=True)
class EventClip:
    """A clip: where it is, as a scene has it, the instruments, and in which seconds somebody off the picture speaks."""

    place: Place
    backdrop: str
    seed: int
    tint: tuple[float, float, float]
    hiss: float
    players: tuple[Player, ...]
    speech: Seconds

    @property
    def duration(self) -> float:
        """Seconds."""
        return float(SECONDS)


def draw_event(rng: Generator, split: Split, events: Sequence[str]) -> EventClip:
    """A clip with one event: its first instrument, one of ``events``, is seen and heard at once in one stretch alone.

    Before and after that it is seen or heard or neither. So is another instrument, all the time, if it is one of
    ``events``; a third that is none may be both.
    """
    event = str(rng.choice(list(events)))
    length = int(rng.integers(SHORTEST, SECONDS + 1))
    start = int(rng.integers(0, SECONDS - length + 1))
    during = tuple(start <= second < start + length for second in range(SECONDS))
    others = [name for name in INSTRUMENTS if name != event]
    second, third = (str(name) for name in rng.choice(others, 2, replace=False))
    when = {name: _apart(rng) if name in events else (_at_times(rng), _at_times(rng)) for name in (second, third)}
    seen, heard = _apart(rng)
    when[event] = (_or(seen, during), _or(heard, during))
    return _clip(rng, split, when, NEVER)


def draw_labels(rng: Generator, split: Split, labels: Sequence[str]) -> EventClip:
    """A clip in which one or two of ``labels``, and other instruments, are seen and heard, each at times of its own.

    Some are never seen, and some never heard; in some clips somebody speaks. Something of a label is always there.
    """
    count = int(rng.integers(1, 3))
    named = [str(name) for name in rng.choice(list(labels), count, replace=False)]
    others = [name for name in INSTRUMENTS if name not in labels]
    names = [*named, *(str(name) for name in rng.choice(others, len(POSITIONS) - count, replace=False))]
    while True:
        when = {name: _by_itself(rng) for name in names}
        if any(any(of) for name in named for of in when[name]):
            speech = _at_times(rng) if rng.random() < 0.4 else NEVER
            return _clip(rng, split, when, speech)


def _by_itself(rng: Generator) -> tuple[Seconds, Seconds]:
    lacks = int(rng.integers(4))  # of four, one is never seen and one never heard
    return NEVER if lacks == 0 else _at_times(rng), NEVER if lacks == 1 else _at_times(rng)


def _clip(rng: Generator, split: Split, when: dict[str, tuple[Seconds, Seconds]], speech: Seconds) -> EventClip:
    style = STYLES[split]
    place: Place = "indoor" if rng.random() < 0.5 else "outdoor"
    positions = [POSITIONS[i] for i in rng.permutation(len(POSITIONS))]
    players = tuple(
        Player(
            performer=sample_performer(rng, style, name, position),
            seen=seen,
            heard=heard,
            beats=draw(rng, NOTES_PER_SECOND),
            cents=draw(rng, style.cents),
            level=draw(rng, LOUDNESS_DB[1:]),
            seed=int(rng.integers(2**31)),
        )
        for (name, (seen, heard)), position in zip(when.items(), positions, strict=True)
    )
    return EventClip(place=place, **draw_surroundings(rng, style, place), players=players, speech=speech)


def _at_times(rng: Generator) -> Seconds:
    now = bool(rng.random() < 0.4)
    seconds = []
    for _ in range(SECONDS):
        seconds.append(now)
        now ^= bool(rng.random() < SWITCH)
    return tuple(seconds)


def _apart(rng: Generator) -> tuple[Seconds, Seconds]:
    """Two that are never so at once."""
    one, other = _at_times(rng), _at_times(rng)
    first = rng.random(SECONDS) < 0.5
    return (
        tuple(a and (not b or bool(f)) for a, b, f in zip(one, other, first, strict=True)),
        tuple(b and (not a or not f) for a, b, f in zip(one, other, first, strict=True)),
    )


def _or(one: Seconds, other: Seconds) -> Seconds:
    return tuple(a or b for a, b in zip(one, other, strict=True))
