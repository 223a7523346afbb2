"""What happens in a clip, as plain values, and how such scenes are drawn at random.

A scene is all there is to know about a clip: pictures, sound, questions and captions are functions of it.
Times are in seconds from the clip's start, pitches in Hz, loudness is a linear gain (1 is the loudest a performer
plays), lengths in pixels of a 240 × 144 frame. Everything in this file is our choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator

Split = Literal["train", "val", "test"]
Position = Literal["left", "middle", "right"]
Place = Literal["indoor", "outdoor"]

SPLITS: tuple[Split, ...] = ("train", "val", "test")
POSITIONS: tuple[Position, ...] = ("left", "middle", "right")
SECONDS = 8.0

# Instruments (names of MUSIC-AVQA) and the MIDI notes between which they play.
PITCHES = {
    "accordion": (57, 72),
    "cello": (36, 50),
    "drum": (33, 40),
    "flute": (74, 88),
    "guzheng": (50, 67),
    "piano": (45, 72),
    "trumpet": (58, 74),
    "ukulele": (60, 76),
    "violin": (62, 81),
    "xylophone": (79, 93),
}
INSTRUMENTS = tuple(PITCHES)


@dataclass(frozen=True)
class Timbre:
    """How this performer's instrument differs from its kind: an addition to the spectral slope, then factors."""

    slope: float
    attack: float
    decay: float
    vibrato: float
    noise: float


@dataclass(frozen=True)
class Performer:
    """One instrument that is played, or stands there.

    Attributes:
        instrument: one of :data:`INSTRUMENTS`.
        position: where it is seen, None if it is off-screen.
        size: factor on the sprite's size.
        hue: degrees added to the hue of its kind.
        lightness: factor on its brightness.
        shift: pixels right and down from the place of its position.
        mirrored: whether the picture is flipped left to right.
        timbre: how it sounds.
    """

    instrument: str
    position: Position | None
    size: float
    hue: float
    lightness: float
    shift: tuple[int, int]
    mirrored: bool
    timbre: Timbre

    @property
    def visible(self) -> bool:
        """Whether it is in the picture."""
        return self.position is not None


@dataclass(frozen=True)
class Note:
    """A note: heard, and seen as one movement if its performer (an index into the scene's) is visible."""

    performer: int
    onset: float
    duration: float
    pitch: float
    loudness: float


@dataclass(frozen=True)
class Gesture:
    """A mimed note: one movement without a sound, so that motion alone does not tell who plays."""

    performer: int
    onset: float
    duration: float


@dataclass(frozen=True)
class Syllable:
    """A piece of speech: its pitch glides from ``pitch`` to ``pitch * glide``; ``vowel`` indexes synth.VOWELS."""

    onset: float
    duration: float
    pitch: float
    glide: float
    vowel: int
    loudness: float = 0.6


@dataclass(frozen=True)
class Scene:
    """All there is to know about a clip.

    Attributes:
        split: whose ranges it was drawn from.
        place, backdrop: indoor or outdoor, and the name of the backdrop there (see ``backdrops.py``).
        seed: of whatever is random when rendering (the details of the backdrop, noise).
        tint: factors on red, green and blue of the whole picture.
        hiss: RMS of the noise under all sound, where 1 is full scale.
        duration: seconds.
        performers, notes, gestures: who is there and what they do, notes sorted by onset.
        voice: the voice-over; empty if there is none.
    """

    split: Split
    place: Place
    backdrop: str
    seed: int
    tint: tuple[float, float, float]
    hiss: float
    duration: float
    performers: tuple[Performer, ...]
    notes: tuple[Note, ...]
    gestures: tuple[Gesture, ...]
    voice: tuple[Syllable, ...]


Ranges = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Style:
    """The ranges that the looks and the sound of a split are drawn from; several ranges: one of them at random."""

    indoor: tuple[str, ...]
    outdoor: tuple[str, ...]
    size: Ranges
    hue: Ranges
    lightness: Ranges
    tint: Ranges
    slope: Ranges
    attack: Ranges
    decay: Ranges
    vibrato: Ranges
    noise: Ranges
    cents: Ranges
    hiss: Ranges


SEEN = Style(
    indoor=("room", "studio", "hall"),
    outdoor=("meadow", "park", "street"),
    size=((0.86, 1.04),),
    hue=((-9, 9),),
    lightness=((0.85, 1.08),),
    tint=((0.93, 1.0),),
    slope=((-0.15, 0.15),),
    attack=((0.75, 1.3),),
    decay=((0.75, 1.3),),
    vibrato=((0.7, 1.3),),
    noise=((0.7, 1.4),),
    cents=((-15, 15),),
    hiss=((0.0005, 0.002),),
)
UNSEEN = Style(
    indoor=("stage", "library"),
    outdoor=("beach", "mountain"),
    size=((0.72, 0.84), (1.06, 1.14)),
    hue=((-15, -10), (10, 15)),
    lightness=((0.74, 0.83), (1.1, 1.2)),
    tint=((0.82, 0.92),),
    slope=((-0.35, -0.18), (0.18, 0.35)),
    attack=((0.5, 0.7), (1.4, 1.9)),
    decay=((0.5, 0.7), (1.4, 1.9)),
    vibrato=((0.4, 0.65), (1.4, 1.8)),
    noise=((0.4, 0.65), (1.5, 2.0)),
    cents=((-45, -20), (20, 45)),
    hiss=((0.0025, 0.005),),
)
STYLES: dict[Split, Style] = {"train": SEEN, "val": SEEN, "test": UNSEEN}

# Bands rather than ranges: two performers are then clearly apart, or of one band and not compared.
LOUDNESS_DB: Ranges = ((-14, -12), (-7.5, -5.5), (-1, 0))
NOTES_PER_SECOND: Ranges = ((1.3, 1.6), (2.5, 3.0), (4.5, 5.2))
# Half a second at least lies between two different entries.
ENTRIES = (0.1, 1.2, 2.3, 3.4, 4.5, 5.6)
SHORTEST_PHRASE = 1.5


def scene_rng(seed: int, split: Split, index: int) -> Generator:
    """The random numbers of clip ``index`` of a split: the same whatever else is generated."""
    return np.random.default_rng([seed, SPLITS.index(split), index])


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
        backdrop=str(rng.choice(style.indoor if place == "indoor" else style.outdoor)),
        seed=int(rng.integers(2**31)),
        tint=(draw(rng, style.tint), draw(rng, style.tint), draw(rng, style.tint)),
        hiss=draw(rng, style.hiss),
        duration=duration,
        performers=performers,
        notes=notes,
        gestures=gestures,
        voice=_voice(rng, duration) if rng.random() < 0.45 else (),
    )


def draw(rng: Generator, ranges: Ranges) -> float:
    """A number from one of the ranges."""
    low, high = ranges[rng.integers(len(ranges))]
    return float(rng.uniform(low, high))


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
