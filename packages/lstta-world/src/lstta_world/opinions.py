"""What talkers think of a film: lines of a small grammar, their polarity, and the score that words, face and tone give.

Polarity is a whole number in −2 … 2. Negation turns it around and makes it weak: 'not wonderful' is a mild complaint.
"""

from __future__ import annotations

import re

from numpy.random import Generator

from lstta_world import talk_truth
from lstta_world.talk import DIRECTION, Expression, Talk

QUALITIES = {
    2: ("wonderful", "brilliant", "superb", "fantastic"),
    1: ("good", "nice", "fine", "fun"),
    0: ("long", "short", "new", "old", "loud", "quiet"),
    -1: ("bad", "dull", "weak", "boring"),
    -2: ("awful", "terrible", "horrible", "dreadful"),
}
# Past tense, and after 'did not'.
VERBS = {
    2: (("loved", "love"), ("adored", "adore")),
    1: (("liked", "like"), ("enjoyed", "enjoy")),
    0: (("watched", "watch"), ("finished", "finish"), ("bought", "buy")),
    -1: (("disliked", "dislike"), ("regretted", "regret")),
    -2: (("hated", "hate"), ("despised", "despise")),
}
TOPICS = ("story", "music", "acting", "ending", "film", "song", "plot", "show", "book", "cast", "first half", "sequel")
OPENERS = ("", "", "So", "Well,", "You know,", "I mean,", "Honestly,", "To me")
TAILS = ("", "", "this time", "again", "last night", "on Sunday", "by the way")
NEGATIONS = ("not", "never")
_POLARITY = {word: value for value, words in QUALITIES.items() for word in words} | {
    form: value for value, verbs in VERBS.items() for verb in verbs for form in verb
}

WORDS = 0.9  # points of the score for each of polarity
FACE: dict[Expression, float] = {"smile": 1.1, "blank": 0.0, "frown": -1.1}
FACES = tuple(FACE)
TONE = {True: 0.6, False: 0.3}  # of a rising tone, wide or narrow; a falling one has the opposite
SARCASM, KINDNESS = -0.5, 0.5  # factors on praise in a falling tone, and on blame in a rising one
LOUD, SOFT = 1.1, 0.7  # factors on the sum


def sample_line(rng: Generator, polarity: int, topic: str | None = None) -> str:
    """A random line of a polarity, about any topic or this one; half of the mild and the neutral ones are negated."""
    negated = abs(polarity) < 2 and rng.random() < 0.5
    # What 'not' turns into this polarity: weak and strong words of the other sign.
    worth = polarity
    if negated and polarity:
        worth = -polarity * int(rng.integers(1, 3))
    topic = topic or _any(rng, TOPICS)
    if rng.random() < 0.6:
        core = f"the {topic} was {'not ' if negated else ''}{_any(rng, QUALITIES[worth])}"
    else:
        past, base = VERBS[worth][rng.integers(len(VERBS[worth]))]
        core = f"I {'did not ' + base if negated else past} the {topic}"
    line = " ".join(part for part in (_any(rng, OPENERS), core, _any(rng, TAILS)) if part)
    return line[0].upper() + line[1:] + "."


def topic_of(line: str) -> str:
    """What a line is about.

    Raises:
        ValueError: it has no topic, or several.
    """
    topics = [name for name in TOPICS if re.search(rf"\bthe {name}\b", line, re.IGNORECASE)]
    if len(topics) != 1:
        raise ValueError(f"{line!r} has {len(topics)} topics, a line has exactly one")
    return topics[0]


def polarity(line: str) -> int:
    """The polarity of a line: that of its one word that has any, turned around and made weak after a negation.

    Raises:
        ValueError: it has no such word, or several.
    """
    words = re.findall(r"\w+", line.lower())
    judged = [(k, _POLARITY[word]) for k, word in enumerate(words) if word in _POLARITY]
    if len(judged) != 1:
        raise ValueError(f"{line!r} has {len(judged)} words of opinion, a line has exactly one")
    place, value = judged[0]
    if any(word in NEGATIONS for word in words[:place]):
        return (value < 0) - (value > 0)
    return value


def score(talk: Talk) -> float:
    """The sentiment of a clip, −3 … 3, to one decimal: words, the face while they are said, and the tone.

    Praise in a falling tone is sarcasm and counts against; blame in a rising tone is half meant. Loudness scales all.
    """
    tone = talk.tone
    words = WORDS * polarity(talk.line)
    direction = DIRECTION[tone.contour]
    if words * direction < 0:
        words *= SARCASM if words > 0 else KINDNESS
    total = words + FACE[talk_truth.expression(talk)] + direction * TONE[tone.wide]
    total *= LOUD if tone.loud else SOFT
    return round(min(3.0, max(-3.0, total)), 1) + 0.0  # + 0.0: no negative zero


def _any(rng: Generator, options: tuple[str, ...]) -> str:
    return options[rng.integers(len(options))]
