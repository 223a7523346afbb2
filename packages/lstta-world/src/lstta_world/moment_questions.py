"""What is asked about a clip of moments: eight questions of five kinds, in three wordings each.

'Moment', 'After' and 'Before' name what is said and ask what is shown then, or a second later or earlier, or the other
way round; 'Both' asks whether a thing and a word are of one second. They need sight and sound. 'Order' asks of one of
them what is first or last, or which of two is first. Of clips whose seconds play an instrument instead of saying a
word, five questions of three kinds are asked, in one wording each. Everything here is our choice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

from numpy.random import Generator

from lstta_world.moment_clips import Moments
from lstta_world.relevance import Relevant
from lstta_world.spans import Spans, union

Sense = Literal["Visual", "Audio"]
Kind = Literal["Moment", "After", "Before", "Both", "Order"]
SENSES: tuple[Sense, Sense] = ("Visual", "Audio")

# By the kind, and by what is asked about: shown or said. The gaps are filled from left to right.
WORDINGS: dict[tuple[str, Sense], tuple[str, ...]] = {
    ("Moment", "Visual"): (
        "What is shown while the word <Word> is said?",
        "What can be seen when somebody says <Word> ?",
        "Which instrument is in the picture as <Word> is spoken?",
    ),
    ("Moment", "Audio"): (
        "What is said while the <Thing> is shown?",
        "Which word is spoken when the <Thing> can be seen?",
        "Which word is heard as the <Thing> is in the picture?",
    ),
    ("After", "Visual"): (
        "What is shown right after the word <Word> is said?",
        "Which instrument is seen next after somebody says <Word> ?",
        "What comes into the picture just after <Word> is spoken?",
    ),
    ("After", "Audio"): (
        "What is said right after the <Thing> is shown?",
        "Which word is heard next after the <Thing> is seen?",
        "Which word is spoken just after the <Thing> was in the picture?",
    ),
    ("Before", "Visual"): (
        "What is shown right before the word <Word> is said?",
        "Which instrument is seen just before somebody says <Word> ?",
        "What was in the picture directly before <Word> is spoken?",
    ),
    ("Before", "Audio"): (
        "What is said right before the <Thing> is shown?",
        "Which word is heard just before the <Thing> is seen?",
        "Which word is spoken directly before the <Thing> is in the picture?",
    ),
    ("Both", "Visual"): (
        "Is the <Thing> shown while the word <Word> is said?",
        "Can the <Thing> be seen when somebody says <Word> ?",
        "Is the <Thing> in the picture as <Word> is spoken?",
    ),
    ("First", "Visual"): ("What is shown first?", "Which instrument is seen first?", "What does the clip begin with?"),
    ("First", "Audio"): ("What is said first?", "Which word is spoken first?", "Which word does somebody begin with?"),
    ("Last", "Visual"): ("What is shown last?", "Which instrument is seen last?", "What does the clip end with?"),
    ("Last", "Audio"): ("What is said last?", "Which word is spoken last?", "Which word does somebody end with?"),
    ("Pair", "Visual"): (
        "Which is shown first, the <Thing> or the <Thing> ?",
        "Is the <Thing> or the <Thing> seen first?",
        "Which of the <Thing> and the <Thing> comes first?",
    ),
    ("Pair", "Audio"): (
        "Which is said first, the word <Word> or the word <Word> ?",
        "Is <Word> or <Word> spoken first?",
        "Which of the words <Word> and <Word> comes first?",
    ),
}
# Of clips that play; every word is one that the tiny language encoder knows.
PLAYED_WORDINGS: dict[tuple[str, Sense], tuple[str, ...]] = {
    ("Moment", "Visual"): ("What is seen while the <Thing> sounds?",),
    ("Moment", "Audio"): ("What sounds while the <Thing> is seen?",),
    ("After", "Visual"): ("What is seen right after the <Thing> sounds?",),
    ("After", "Audio"): ("What sounds right after the <Thing> is seen?",),
    ("First", "Visual"): ("What is seen first?",),
    ("First", "Audio"): ("What sounds first?",),
    ("Last", "Visual"): ("What is seen last?",),
    ("Last", "Audio"): ("What sounds last?",),
}
STEP: dict[str, int] = {"Moment": 0, "After": 1, "Before": -1}
Form = tuple[str, Sense]


@dataclass(frozen=True)
class Plan:
    """What is asked: of every clip, then one of those in turns, and in which words."""

    every: tuple[Form, ...]
    in_turns: tuple[Form, ...]
    wordings: dict[Form, tuple[str, ...]]


def _both_senses(*forms: str) -> tuple[Form, ...]:
    return tuple((form, sense) for form in forms for sense in SENSES)


SPOKEN = Plan((*_both_senses(*STEP), ("Both", "Visual")), _both_senses("First", "Pair", "Last"), WORDINGS)
PLAYED = Plan(_both_senses("Moment", "After"), _both_senses("First", "Last"), PLAYED_WORDINGS)


@dataclass(frozen=True)
class MomentQuestion:
    """A question about a clip.

    Attributes:
        type: the senses that are needed, ``Audio-Visual``, ``Visual`` or ``Audio``, and the kind.
        text: with gaps, as in MUSIC-AVQA's files.
        values: what fills the gaps.
        answer: a thing, a word, or yes or no.
        relevant: the seconds of sight and of sound that the answer rests on.
    """

    type: tuple[str, Kind]
    text: str
    values: tuple[str, ...]
    answer: str
    relevant: Relevant


@dataclass(frozen=True)
class _Candidate:
    """A question that a clip allows, by the seconds that it rests on."""

    values: tuple[str, ...]
    answer: str
    visual: tuple[int, ...]
    audio: tuple[int, ...]


class Asker:
    """Chooses the questions of one clip after another, so that the answers of each kind are even."""

    def __init__(self, rng: Generator, plan: Plan = SPOKEN) -> None:
        self._rng = rng
        self._plan = plan
        self._answers: Counter[tuple[str, Sense, str]] = Counter()
        self._clips = 0

    def ask(self, clip: Moments) -> list[MomentQuestion]:
        """Those of every clip, and the next in turns."""
        last = self._plan.in_turns[self._clips % len(self._plan.in_turns)]
        self._clips += 1
        return [self._one(clip, *form) for form in (*self._plan.every, last)]

    def _one(self, clip: Moments, form: str, sense: Sense) -> MomentQuestion:
        found = list(_candidates(clip, form, sense))
        shuffled = [found[i] for i in self._rng.permutation(len(found))]
        chosen = min(shuffled, key=lambda candidate: self._answers[form, sense, candidate.answer])
        self._answers[form, sense, chosen.answer] += 1
        wordings = self._plan.wordings[form, sense]
        crossing = form in STEP or form == "Both"
        return MomentQuestion(
            type=("Audio-Visual" if crossing else sense, _kind(form)),
            text=wordings[self._rng.integers(len(wordings))],
            values=chosen.values,
            answer=chosen.answer,
            relevant=Relevant(_seconds(chosen.visual), _seconds(chosen.audio)),
        )


def _kind(form: str) -> Kind:
    kinds: dict[str, Kind] = {"Moment": "Moment", "After": "After", "Before": "Before", "Both": "Both"}
    return kinds.get(form, "Order")


def _seconds(numbers: tuple[int, ...]) -> Spans:
    return union((float(second), second + 1.0) for second in numbers)


def _candidates(clip: Moments, form: str, sense: Sense) -> Iterator[_Candidate]:
    """All questions of a form that have one answer in this clip."""
    of_sense = {"Visual": clip.shown, "Audio": clip.said}
    answers = of_sense[sense]
    seconds = range(len(answers))
    if form in STEP:
        named = of_sense["Audio" if sense == "Visual" else "Visual"]
        for second in seconds:
            then = second + STEP[form]
            if then in seconds:
                visual, audio = (then, second) if sense == "Visual" else (second, then)
                yield _Candidate((named[second],), answers[then], (visual,), (audio,))
    elif form == "Both":
        for i in seconds:
            for j in seconds:
                yield _Candidate((clip.shown[i], clip.said[j]), "yes" if i == j else "no", (i,), (j,))
    elif form == "Pair":
        for i, j in permutations(seconds, 2):
            yield _alone(sense, (answers[i], answers[j]), answers[min(i, j)], (i, j))
    else:
        second = 0 if form == "First" else len(answers) - 1
        yield _alone(sense, (), answers[second], (second,))


def _alone(sense: Sense, values: tuple[str, ...], answer: str, seconds: tuple[int, ...]) -> _Candidate:
    return _Candidate(values, answer, *((seconds, ()) if sense == "Visual" else ((), seconds)))
