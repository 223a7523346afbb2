"""Stories for ``violin.py``: two people, one after the other, each say what they think of one thing about a film.

What they mean is the score of ``opinions``: words, face and tone together, so that praise may be meant as blame.
"""

from __future__ import annotations

from numpy.random import Generator

from lstta_tasks.generate.casting import sample_person, sample_talk
from lstta_tasks.generate.film import Film
from lstta_tasks.generate.opinions import FACES, TOPICS, sample_line, score
from lstta_tasks.generate.scene import Split
from lstta_tasks.generate.talk import CONTOURS, Talk, Tone

CLEAR = 0.7  # the least that a score is above or below zero


def sample_story(rng: Generator, split: Split) -> Film:
    """Two shots of people with the looks and voices of ``split``, who speak of different things."""
    return Film(tuple(_opinion(rng, split, TOPICS[i]) for i in rng.permutation(len(TOPICS))[:2]))


def _opinion(rng: Generator, split: Split, topic: str) -> Talk:
    """Somebody's: clearly praise, or clearly blame, as often."""
    person = sample_person(rng, split)
    sign = (-1, 1)[rng.integers(2)]
    while True:
        contour = CONTOURS[rng.integers(len(CONTOURS))]
        talk = sample_talk(
            rng,
            person,
            line=sample_line(rng, int(rng.integers(-2, 3)), topic),
            tone=Tone(contour, wide=bool(rng.random() < 0.5), loud=bool(rng.random() < 0.5)),
            expression=FACES[rng.integers(len(FACES))],
            others=FACES,
        )
        if sign * score(talk) >= CLEAR:
            return talk
