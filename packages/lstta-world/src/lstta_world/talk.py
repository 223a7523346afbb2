"""What happens in a clip of somebody who talks, as plain values.

Beside ``scene`` (musicians) the other half of the built-in world: one face, large in the picture, says one line. Its
expression changes over time, its voice has a tone, its words are said in known seconds. Times are in seconds from the
clip's start, pitches in Hz, lengths in pixels of a 240 × 144 frame. Everything in this file is our choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lstta_world.scene import Place
from lstta_world.splits import Split

Expression = Literal["blank", "smile", "frown", "wide"]
Contour = Literal["falling", "level", "rising"]
Hair = Literal["short", "long", "bald", "curly", "hat"]

EXPRESSIONS: tuple[Expression, ...] = ("blank", "smile", "frown", "wide")
CONTOURS: tuple[Contour, ...] = ("falling", "level", "rising")
DIRECTION: dict[Contour, int] = {"falling": -1, "level": 0, "rising": 1}
SECONDS = 4.0


@dataclass(frozen=True)
class Face:
    """How somebody looks.

    Attributes:
        skin, shirt: hue in degrees, saturation and value (0 … 1).
        hair: its cut; ``hair_value`` its brightness, from black to fair.
        size: factor on the height of the head.
        shape: width of the head, as a share of its usual one.
        strength: how much of an expression shows.
        shift: pixels right and down from the middle.
    """

    skin: tuple[float, float, float]
    shirt: tuple[float, float, float]
    hair: Hair
    hair_value: float
    size: float
    shape: float
    strength: float
    shift: tuple[int, int]


@dataclass(frozen=True)
class Voice:
    """How somebody sounds: the middle pitch, and factors on the formants, on breath and on the length of syllables."""

    pitch: float
    tract: float
    breath: float
    pace: float


@dataclass(frozen=True)
class Person:
    """Somebody, somewhere: what all clips of one speaker share.

    Attributes:
        split: whose ranges it was drawn from.
        place, backdrop: as in a scene.
        tint: factors on red, green and blue of the whole picture.
        hiss: RMS of the noise under the voice, where 1 is full scale.
    """

    split: Split
    place: Place
    backdrop: str
    tint: tuple[float, float, float]
    hiss: float
    face: Face
    voice: Voice


@dataclass(frozen=True)
class Tone:
    """The melody of a line: where the pitch goes, over a wide or a narrow range, loud or soft."""

    contour: Contour
    wide: bool
    loud: bool


@dataclass(frozen=True)
class Word:
    """A word of the line, and when it is said."""

    text: str
    onset: float
    duration: float


@dataclass(frozen=True)
class Look:
    """An expression that begins at ``onset`` and lasts until the next one."""

    onset: float
    expression: Expression


@dataclass(frozen=True)
class Chew:
    """A mouth that moves without a sound, so that its motion alone does not tell when the line is said."""

    onset: float
    duration: float


@dataclass(frozen=True)
class Talk:
    """All there is to know about a clip of a talker.

    Attributes:
        person: who talks.
        seed: of whatever is random when rendering (the details of the backdrop, noise, the jitter of the pitch).
        duration: seconds.
        line: the text, as written.
        words: the words of the line, in time.
        tone: how it is said.
        looks: expressions, in time; the first begins at 0.
        chews: silent movements of the mouth.
    """

    person: Person
    seed: int
    duration: float
    line: str
    words: tuple[Word, ...]
    tone: Tone
    looks: tuple[Look, ...]
    chews: tuple[Chew, ...]
