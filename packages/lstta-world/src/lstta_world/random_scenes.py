"""How scenes of musicians are drawn at random. Everything in this file is our choice."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from lstta_world.scene import (
    INSTRUMENTS,
    PITCHES,
    POSITIONS,
    SECONDS,
    Gesture,
    Note,
    Performer,
    Place,
    Position,
    Scene,
    Syllable,
    Timbre,
)
from lstta_world.splits import Split
from lstta_world.styles import STYLES, Ranges, Style, draw, draw_surroundings

# Bands rather than ranges: two performers are then clearly apart, or of one band and not compared.
LOUDNESS_DB: Ranges = ((-14, -12), (-7.5, -5.5), (-1, 0))
NOTES_PER_SECOND: Ranges = ((1.3, 1.6), (2.5, 3.0), (4.5, 5.2))
# Half a second at least lies between two different entries.
ENTRIES = (0.1, 1.2, 2.3, 3.4, 4.5, 5.6)
SHORTEST_PHRASE = 1.5


def sample_scene(rng: Generator, split: Split, duration: float = SECONDS) -> Scene:
    """A random scene with the looks and timbres of ``split``.

    One to three performers are visible, sometimes of one kind; up to two more, of other kinds, are only heard. Of the
    visible ones some are silent, and some mime for a while. Musicians enter one after another or all at once.

    Raises:
        ValueError: ``duration`` is below 4 seconds: too short for one entry after another.
    """
    if duration < 4:
        raise ValueError(f"a scene lasts at least 4 seconds, got duration={duration}")
    style = STYLES[split]
    place: Place = "indoor" if rng.random() < 0.5 else "outdoor"
    performers = _performers(rng, style)
    notes, gestures = _music(rng, style, performers, duration)
    return Scene(
        split=split,
        place=place,
        **draw_surroundings(rng, style, place),
        duration=duration,
        performers=performers,
        notes=notes,
        gestures=gestures,
        voice=_voice(rng, duration) if rng.random() < 0.45 else (),
    )


def _performers(rng: Generator, style: Style) -> tuple[Performer, ...]:
    visible = int(rng.choice((1, 2, 3), p=(0.22, 0.33, 0.45)))
    hidden = int(rng.choice((0, 1, 2), p=(0.55, 0.3, 0.15)))
    kinds = [str(kind) for kind in rng.choice(INSTRUMENTS, visible + hidden, replace=False)]
    if visible > 1 and rng.random() < 0.35:  # some of one kind: two, or two or three of three
        for other in range(1, int(rng.integers(2, visible + 1))):
            kinds[other] = kinds[0]
    places = [POSITIONS[i] for i in rng.permutation(3)[:visible]]
    return tuple(sample_performer(rng, style, kind, places[i] if i < visible else None) for i, kind in enumerate(kinds))


def sample_performer(rng: Generator, style: Style, instrument: str, position: Position | None) -> Performer:
    """This instrument at this position (None: off-screen), with looks and a timbre of the style."""
    return Performer(
        instrument=instrument,
        position=position,
        size=draw(rng, style.size),
        hue=draw(rng, style.hue),
        lightness=draw(rng, style.lightness),
        shift=(int(rng.integers(-5, 6)), int(rng.integers(-6, 5))),
        mirrored=bool(rng.random() < 0.5),
        timbre=Timbre(
            slope=draw(rng, style.slope),
            attack=draw(rng, style.attack),
            decay=draw(rng, style.decay),
            vibrato=draw(rng, style.vibrato),
            noise=draw(rng, style.noise),
        ),
    )


def _music(
    rng: Generator, style: Style, performers: tuple[Performer, ...], duration: float
) -> tuple[tuple[Note, ...], tuple[Gesture, ...]]:
    entries = [float(e) for e in rng.permutation([e for e in ENTRIES if e + SHORTEST_PHRASE < duration])]
    together = rng.random() < 0.2
    hush = rng.random() < 0.15  # nobody in the picture plays
    notes: list[Note] = []
    gestures: list[Gesture] = []
    for i, performer in enumerate(performers):
        beats = draw(rng, NOTES_PER_SECOND)
        silent = performer.visible and (hush or rng.random() < 0.18)
        start, end = _phrase(rng, entries[0 if together else i % len(entries)], duration, joined=together)
        if not silent:
            cents, level = draw(rng, style.cents), draw(rng, LOUDNESS_DB)
            notes += play(rng, i, performer.instrument, (start, end), beats=beats, cents=cents, level=level)
        if performer.visible and rng.random() < 0.6:
            mime_start, mime_end = _phrase(rng, float(rng.choice(entries)), duration, joined=False)
            times = beat_times(mime_start, mime_end, beats)
            # A mimed movement inside a played phrase would be seen as playing on: leave those out.
            gestures += [
                Gesture(i, onset, length)
                for onset, length in times
                if silent or onset + length < start - 0.3 or onset > end + 0.3
            ]
    return tuple(sorted(notes, key=lambda note: note.onset)), tuple(gestures)


def _phrase(rng: Generator, entry: float, duration: float, joined: bool) -> tuple[float, float]:
    start = entry if joined else entry + float(rng.uniform(0, 0.6))
    if entry == ENTRIES[0] and rng.random() < 0.4:
        return entry, duration
    return start, float(rng.uniform(min(start + SHORTEST_PHRASE, duration), duration))


def beat_times(start: float, end: float, beats: float) -> list[tuple[float, float]]:
    """Onset and length of each beat between two times, at ``beats`` a second; one at least."""
    count = max(int((end - start) * beats), 1)
    return [(start + k / beats, 0.85 / beats) for k in range(count)]


def play(
    rng: Generator,
    performer: int,
    instrument: str,
    span: tuple[float, float],
    *,
    beats: float,
    cents: float,
    level: float,
) -> list[Note]:
    """A melody: ``beats`` notes a second, ``cents`` out of tune, at a ``level`` in dB below the loudest."""
    low, high = PITCHES[instrument]
    scale = [midi for midi in range(low, high + 1) if midi % 12 in (0, 2, 4, 7, 9)]
    step = int(rng.integers(len(scale)))
    notes = []
    for onset, length in beat_times(*span, beats):
        step = int(np.clip(step + rng.integers(-2, 3), 0, len(scale) - 1))
        pitch = 440 * 2 ** ((scale[step] - 69 + cents / 100) / 12)
        loudness = 10 ** ((level + rng.uniform(-0.4, 0.4)) / 20)
        notes.append(Note(performer, onset, length, float(pitch), float(loudness)))
    return notes


def _voice(rng: Generator, duration: float) -> tuple[Syllable, ...]:
    pitch = float(rng.uniform(95, 230))
    time = float(rng.uniform(0, duration / 2))
    end = time + float(rng.uniform(2, duration / 2))
    syllables = []
    while time < end:
        for _ in range(int(rng.integers(3, 7))):
            length = float(rng.uniform(0.13, 0.26))
            if time + length > duration:
                break
            spoken = pitch * float(rng.uniform(0.85, 1.2))
            syllables.append(Syllable(time, length, spoken, float(rng.uniform(0.8, 1.1)), int(rng.integers(5))))
            time += length + float(rng.uniform(0.0, 0.05))
        time += float(rng.uniform(0.2, 0.5))
    return tuple(syllables)
