"""Scenes by direction rather than by chance: who stands where, who plays or mimes when, and when a voice speaks.

Looks, timbres, melodies and tempo are still drawn, in the style of the split. Soft and slow playing is left out, so
that whoever is to be heard in a span is heard in all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.random import Generator

from lstta_world.random_scenes import LOUDNESS_DB, NOTES_PER_SECOND, beat_times, play, sample_performer
from lstta_world.scene import POSITIONS, SECONDS, Gesture, Note, Place, Position, Scene, Syllable
from lstta_world.spans import Span
from lstta_world.splits import Split
from lstta_world.styles import STYLES, draw, draw_surroundings


@dataclass(frozen=True)
class Part:
    """One instrument's part.

    Attributes:
        instrument: its kind.
        position: where it is seen; None if it is off-screen.
        plays: when it is heard, and moves.
        mimes: when it moves without a sound.
    """

    instrument: str
    position: Position | None
    plays: tuple[Span, ...] = ()
    mimes: tuple[Span, ...] = ()


def stage_scene(rng: Generator, split: Split, parts: Sequence[Part], place: Place, spoken: Sequence[Span]) -> Scene:
    """The scene of these parts, with a voice that speaks in the spans ``spoken``."""
    style = STYLES[split]
    notes: list[Note] = []
    gestures: list[Gesture] = []
    for i, part in enumerate(parts):
        beats, cents = draw(rng, NOTES_PER_SECOND[1:]), draw(rng, style.cents)
        level = draw(rng, LOUDNESS_DB[1:])
        for span in part.plays:
            notes += play(rng, i, part.instrument, span, beats=beats, cents=cents, level=level)
        for span in part.mimes:
            gestures += [Gesture(i, onset, length) for onset, length in beat_times(*span, beats)]
    return Scene(
        split=split,
        place=place,
        **draw_surroundings(rng, style, place),
        duration=SECONDS,
        performers=tuple(sample_performer(rng, style, part.instrument, part.position) for part in parts),
        notes=tuple(sorted(notes, key=lambda note: note.onset)),
        gestures=tuple(gestures),
        voice=speak(rng, spoken),
    )


def speak(rng: Generator, spans: Sequence[Span]) -> tuple[Syllable, ...]:
    """One voice that speaks all through the spans."""
    pitch = float(rng.uniform(95, 230))
    syllables = []
    for time, end in spans:
        while time + 0.13 <= end:
            length = min(float(rng.uniform(0.13, 0.26)), end - time)
            spoken = pitch * float(rng.uniform(0.85, 1.2))
            syllables.append(Syllable(time, length, spoken, float(rng.uniform(0.8, 1.1)), int(rng.integers(5))))
            time += length + float(rng.uniform(0.0, 0.05))
    return tuple(syllables)


def draw_place(rng: Generator) -> Place:
    """Indoor or outdoor."""
    return "indoor" if rng.random() < 0.5 else "outdoor"


def draw_positions(rng: Generator, count: int) -> list[Position]:
    """So many different positions, in any order."""
    return [POSITIONS[i] for i in rng.permutation(len(POSITIONS))[:count]]
