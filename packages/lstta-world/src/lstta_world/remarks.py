"""What people tell each other in the dialogues: good, bad and foul news, and remarks that take their sense from before.

Each utterance is news or a remark. Negation turns good news into bad and back.
"""

from __future__ import annotations

import re
from typing import Literal

from numpy.random import Generator

News = Literal["good", "bad", "foul"]
KINDS: tuple[News, ...] = ("good", "bad", "foul")

# Past tense, and after 'did not'.
VERBS: dict[News, tuple[tuple[str, str], ...]] = {
    "good": (("won", "win"), ("got", "get"), ("saved", "save"), ("kept", "keep")),
    "bad": (("lost", "lose"), ("broke", "break"), ("ruined", "ruin"), ("missed", "miss")),
}
THINGS = ("race", "job", "house", "prize", "car", "ring", "match", "ticket", "boat")
FOUL = ("a rat", "mould", "slime", "a dead fly", "vomit", "old socks", "worms", "rotten fish")
PLACES = ("in the soup", "in my bed", "on the table", "under the sofa", "in your bag", "on the bread")
FOUND = ("I found", "We found", "We saw", "They left")
WHO = ("I", "We", "They", "You", "My sister", "Your brother")
OPENERS = ("", "", "Listen,", "Guess what,", "So,", "Hey,", "You know,", "Look,")
REMARKS = (
    "Oh really?",
    "Is that so?",
    "You do not say.",
    "Are you sure?",
    "Tell me more.",
    "Say that again.",
    "Oh, I see.",
    "Well, well.",
    "What did you say?",
    "Wait a moment.",
)
_OPPOSITE: dict[News, News] = {"good": "bad", "bad": "good"}
_VERB_NEWS = {form: kind for kind, verbs in VERBS.items() for verb in verbs for form in verb}
_FOUL_WORDS = {thing.split()[-1] for thing in FOUL}


def sample_news(rng: Generator, kind: News) -> str:
    """A line that tells something of a kind; a third of the good and the bad ones with a negation."""
    if kind == "foul":
        core = f"{_any(rng, FOUND)} {_any(rng, FOUL)} {_any(rng, PLACES)}"
    else:
        negated = rng.random() < 1 / 3
        verbs = VERBS[_OPPOSITE[kind] if negated else kind]
        past, base = verbs[rng.integers(len(verbs))]
        core = f"{_any(rng, WHO)} {'did not ' + base if negated else past} the {_any(rng, THINGS)}"
    opener = _any(rng, OPENERS)
    if opener and not core.startswith("I "):
        core = core[0].lower() + core[1:]
    return f"{opener} {core}.".strip()


def sample_remark(rng: Generator) -> str:
    """A line that tells nothing."""
    return _any(rng, REMARKS)


def news(line: str) -> News | None:
    """What kind of news a line tells; None for a remark."""
    words = re.findall(r"\w+", line.lower())
    if _FOUL_WORDS & set(words):
        return "foul"
    for word in words:
        if word in _VERB_NEWS:
            kind = _VERB_NEWS[word]
            return _OPPOSITE[kind] if "not" in words else kind
    return None


def _any(rng: Generator, options: tuple[str, ...]) -> str:
    return options[rng.integers(len(options))]
