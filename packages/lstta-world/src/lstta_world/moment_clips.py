"""Clips of moments, as plain values: each second shows one thing and sounds one. Everything here is our choice.

What sounds is a spoken word, or in clips of another data set an instrument. Within a clip nothing is shown twice and
nothing is heard twice; one thing and one sound of all are left out. Pictures and sounds are drawn independently of each
other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from numpy.random import Generator

from lstta_world.backdrops import INDOOR, OUTDOOR
from lstta_world.random_scenes import LOUDNESS_DB, NOTES_PER_SECOND, sample_performer
from lstta_world.scene import INSTRUMENTS, Place, Timbre
from lstta_world.spoken_words import MANNERS, VOICES, WORDS
from lstta_world.styles import SEEN, draw

THINGS = tuple(instrument for instrument in INSTRUMENTS if instrument != "guzheng")
SECONDS = 8


@dataclass(frozen=True)
class Picture:
    """What a second shows.

    Attributes:
        thing: one of :data:`THINGS`.
        place, backdrop, seed: what stands behind it, as in ``backdrops.py``, and the seed of its details and of noise.
        centre, feet: pixels of a 240 × 144 frame, to its middle and its lower edge.
        size, hue, lightness, mirrored: how it differs from its kind, as a performer does (``scene.py``).
        tint: factors on red, green and blue.
        noise: deviation of the coloured blotches over all of it, of 255.
    """

    thing: str
    place: Place
    backdrop: str
    seed: int
    centre: int
    feet: int
    size: float
    hue: float
    lightness: float
    mirrored: bool
    tint: tuple[float, float, float]
    noise: float


@dataclass(frozen=True)
class SpokenWord:
    """What a second says.

    Attributes:
        word: one of :data:`~lstta_world.spoken_words.WORDS`.
        voice, manner: indices into ``VOICES`` and ``MANNERS`` there.
        late: 0 as early in its second as may be, 1 as late as may be.
        loudness: factor on its RMS.
    """

    word: str
    voice: int
    manner: int
    late: float
    loudness: float


@dataclass(frozen=True)
class PlayedThing:
    """What a second plays: a melody of one to five notes, drawn as those of a scene (``random_scenes.play``).

    Attributes:
        word: the instrument, one of :data:`THINGS`.
        timbre: how it sounds.
        beats: notes a second.
        cents: how far it is out of tune.
        level: in dB below the loudest.
        seed: of the melody, and of the notes' noise.
    """

    word: str
    timbre: Timbre
    beats: float
    cents: float
    level: float
    seed: int


@dataclass(frozen=True)
class Moments:
    """A clip: a picture and a sound a second, a seed of the noise under the sound, and its RMS (1 is full scale)."""

    pictures: tuple[Picture, ...]
    words: tuple[SpokenWord | PlayedThing, ...]
    seed: int
    hiss: float

    @property
    def duration(self) -> float:
        """Seconds."""
        return float(len(self.pictures))

    @property
    def shown(self) -> tuple[str, ...]:
        """The thing of each second."""
        return tuple(picture.thing for picture in self.pictures)

    @property
    def said(self) -> tuple[str, ...]:
        """The word of each second, or the instrument that is heard."""
        return tuple(word.word for word in self.words)


def draw_moments(rng: Generator) -> Moments:
    """A clip of :data:`SECONDS` at random, with spoken words."""
    return _moments(rng, WORDS, _word)


def draw_played_moments(rng: Generator) -> Moments:
    """A clip of :data:`SECONDS` at random, with instruments that play."""
    return _moments(rng, THINGS, _played)


def _moments(
    rng: Generator, names: tuple[str, ...], sound: Callable[[Generator, str], SpokenWord | PlayedThing]
) -> Moments:
    shown = [THINGS[i] for i in rng.permutation(len(THINGS))[:SECONDS]]
    heard = [names[i] for i in rng.permutation(len(names))[:SECONDS]]
    return Moments(
        pictures=tuple(_picture(rng, thing) for thing in shown),
        words=tuple(sound(rng, name) for name in heard),
        seed=int(rng.integers(2**31)),
        hiss=float(rng.uniform(0.0005, 0.004)),
    )


def _picture(rng: Generator, thing: str) -> Picture:
    place: Place = "indoor" if rng.random() < 0.5 else "outdoor"
    tint = rng.uniform(0.88, 1.0, 3)
    return Picture(
        thing=thing,
        place=place,
        backdrop=str(rng.choice(list(INDOOR if place == "indoor" else OUTDOOR))),
        seed=int(rng.integers(2**31)),
        centre=int(rng.integers(58, 183)),
        feet=int(rng.integers(128, 143)),
        size=float(rng.uniform(0.95, 1.25)),
        hue=float(rng.uniform(-12, 12)),
        lightness=float(rng.uniform(0.8, 1.1)),
        mirrored=bool(rng.random() < 0.5),
        tint=(float(tint[0]), float(tint[1]), float(tint[2])),
        noise=float(rng.uniform(2, 10)),
    )


def _word(rng: Generator, word: str) -> SpokenWord:
    return SpokenWord(
        word=word,
        voice=int(rng.integers(len(VOICES))),
        manner=int(rng.integers(len(MANNERS))),
        late=float(rng.random()),
        loudness=float(rng.uniform(0.5, 1.0)),
    )


def _played(rng: Generator, instrument: str) -> PlayedThing:
    return PlayedThing(
        word=instrument,
        timbre=sample_performer(rng, SEEN, instrument, None).timbre,
        beats=draw(rng, NOTES_PER_SECOND),
        cents=draw(rng, SEEN.cents),
        level=draw(rng, LOUDNESS_DB),
        seed=int(rng.integers(2**31)),
    )
