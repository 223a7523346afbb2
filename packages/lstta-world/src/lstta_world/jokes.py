"""Set-ups and punchlines for ``urfunny.py``, and when one is funny in this world: when it is said deadpan.

Somebody says two lines about a film. The set-up has no opinion and is said with any face in any tone. The punchline
praises or blames. It is funny when the face goes with the words and the voice goes against them. No modality by itself
tells anything; any two of words, face and voice are right in five of six.

| delivery | the face | the voice | share |
|---|---|---|---|
| deadpan, funny | with the words | against them | 3 of 6 |
| sincere | with the words | with them | 1 of 6 |
| ironic | against the words | against them | 1 of 6 |
| grimacing | against the words | with them | 1 of 6 |

A face goes with praise when it smiles and with blame when it frowns; a voice when it rises, or falls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from numpy.random import Generator

from lstta_world import talk_truth
from lstta_world.casting import sample_person, sample_talk, sample_tone
from lstta_world.film import Film
from lstta_world.opinions import polarity, sample_line
from lstta_world.splits import Split
from lstta_world.talk import CONTOURS, Contour, Expression, Talk

Delivery = Literal["deadpan", "sincere", "ironic", "grimacing"]
FACES: tuple[Expression, Expression] = ("frown", "smile")  # of blame and of praise
VOICES: tuple[Contour, Contour] = ("falling", "rising")
WITH_THE_WORDS: dict[Delivery, tuple[bool, bool]] = {  # face, voice
    "deadpan": (True, False),
    "sincere": (True, True),
    "ironic": (False, False),
    "grimacing": (False, True),
}
SETUP, PUNCHLINE = 0, 1  # the film's shots


@dataclass(frozen=True)
class Joke:
    """A film of the set-up and the punchline."""

    film: Film

    @property
    def setup(self) -> Talk:
        """The shot before the punchline."""
        return self.film.shots[SETUP]

    @property
    def punchline(self) -> Talk:
        """The last shot."""
        return self.film.shots[PUNCHLINE]

    @property
    def funny(self) -> bool:
        """Whether the punchline's face goes with its words, and its voice against them."""
        praise = polarity(self.punchline.line) > 0
        face_agrees = talk_truth.expression(self.punchline) == FACES[praise]
        return face_agrees and self.punchline.tone.contour == VOICES[not praise]


def sample_joke(rng: Generator, split: Split, delivery: Delivery) -> Joke:
    """A joke by somebody of ``split``, with its punchline in this delivery."""
    person = sample_person(rng, split)
    setup = sample_talk(
        rng,
        person,
        line=sample_line(rng, 0),
        tone=sample_tone(rng, CONTOURS[rng.integers(len(CONTOURS))]),
        expression=FACES[rng.integers(2)],
        others=FACES,
    )
    worth = (-2, -1, 1, 2)[rng.integers(4)]
    face_agrees, voice_agrees = WITH_THE_WORDS[delivery]
    punchline = sample_talk(
        rng,
        person,
        line=sample_line(rng, worth),
        tone=sample_tone(rng, VOICES[(worth > 0) == voice_agrees]),
        expression=FACES[(worth > 0) == face_agrees],
        others=FACES,
    )
    return Joke(Film((setup, punchline)))


def balanced(rng: Generator, count: int) -> Sequence[Delivery]:
    """Deliveries in the shares of the table above, mixed within every six."""
    six: tuple[Delivery, ...] = ("deadpan", "deadpan", "deadpan", "sincere", "ironic", "grimacing")
    return [six[i] for _ in range(0, count, 6) for i in rng.permutation(6)][:count]
