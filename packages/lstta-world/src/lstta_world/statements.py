"""True and false statements about a story: that a thing was good, or bad, to the one who speaks of it.

'The music was wonderful.' is true where the one of the two people who speaks of the music means praise by face and
voice. The false one of a pair says the opposite of the same thing. Which of the two people is meant is in the
subtitles; where both mean praise or both blame, as in most stories, it does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass

from numpy.random import Generator

from lstta_world.film import Film
from lstta_world.opinions import QUALITIES, topic_of
from lstta_world.stories import meant


@dataclass(frozen=True)
class Fact:
    """What a pair of statements is about.

    Attributes:
        shot: of the one who speaks of it.
        topic: the thing.
        true, false: how it was, and was not: a quality, perhaps after 'not'.
    """

    shot: int
    topic: str
    true: str
    false: str

    @property
    def statements(self) -> tuple[str, str]:
        """The true one and the false one."""
        return f"The {self.topic} was {self.true}.", f"The {self.topic} was {self.false}."


def sample_facts(rng: Generator, story: Film, count: int) -> list[Fact]:
    """Different facts, about one person after the other, beginning with any."""
    first = int(rng.integers(len(story.shots)))
    facts: list[Fact] = []
    while len(facts) < count:
        fact = _fact(rng, story, (first + len(facts)) % len(story.shots))
        if not {fact.statements[0], fact.statements[1]} & {text for other in facts for text in other.statements}:
            facts.append(fact)
    return facts


def _fact(rng: Generator, story: Film, shot: int) -> Fact:
    talk = story.shots[shot]
    praise, blame = _quality(rng, 1), _quality(rng, -1)
    true, false = (praise, blame) if meant(talk) > 0 else (blame, praise)
    return Fact(shot, topic_of(talk.line), true, false)


def _quality(rng: Generator, sign: int) -> str:
    """A word of praise (1) or blame (-1), or one of the opposite sign after 'not'."""
    negated = rng.random() < 0.25
    words = QUALITIES[(-sign if negated else sign) * int(rng.integers(1, 3))]
    return ("not " if negated else "") + words[rng.integers(len(words))]
