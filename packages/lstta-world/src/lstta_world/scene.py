"""What happens in a clip, as plain values.

A scene is all there is to know about a clip: pictures, sound, questions and captions are functions of it.
Times are in seconds from the clip's start, pitches in Hz, loudness is a linear gain (1 is the loudest a performer
plays), lengths in pixels of a 240 × 144 frame. Everything in this file is our choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lstta_world.splits import Split

Position = Literal["left", "middle", "right"]
Place = Literal["indoor", "outdoor"]

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
