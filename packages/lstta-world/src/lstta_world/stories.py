"""Stories for ``violin.py``: two people, one after the other, each speak of one thing without an opinion in words.

Face and voice tell what they mean: praise where they smile or their voice rises, blame where they frown or it falls.
One of the two may tell nothing; they never contradict each other.
"""

from __future__ import annotations

from numpy.random import Generator

from lstta_world import talk_truth
from lstta_world.casting import sample_person, sample_talk, sample_tone
from lstta_world.film import Film
from lstta_world.opinions import FACES, TOPICS, sample_line
from lstta_world.splits import Split
from lstta_world.talk import CONTOURS, DIRECTION, Expression, Talk

AGREED = 0.75  # of the stories have two people of one mind
FACE_SIGNS: dict[Expression, int] = {"smile": 1, "blank": 0, "frown": -1}
# What one who means praise shows and sounds like, and one who means blame.
WAYS = {
    sign: [
        (face, voice) for face in FACES for voice in CONTOURS if {FACE_SIGNS[face], DIRECTION[voice]} - {0} == {sign}
    ]
    for sign in (1, -1)
}


def sample_story(rng: Generator, split: Split) -> Film:
    """Two shots of people with the looks and voices of ``split``, who speak of different things."""
    first = (-1, 1)[rng.integers(2)]
    signs = (first, first if rng.random() < AGREED else -first)
    topics = [TOPICS[i] for i in rng.permutation(len(TOPICS))[:2]]
    return Film(tuple(_remark(rng, split, topic, sign) for topic, sign in zip(topics, signs, strict=True)))


def meant(talk: Talk) -> int:
    """1 where praise is meant, −1 where blame is."""
    told = FACE_SIGNS[talk_truth.expression(talk)] + DIRECTION[talk.tone.contour]
    assert told, talk
    return 1 if told > 0 else -1


def _remark(rng: Generator, split: Split, topic: str, sign: int) -> Talk:
    face, voice = WAYS[sign][rng.integers(len(WAYS[sign]))]
    return sample_talk(
        rng,
        sample_person(rng, split),
        line=sample_line(rng, 0, topic),
        tone=sample_tone(rng, voice),
        expression=face,
        others=FACES,
    )
