"""Set-ups and punchlines for ``urfunny.py``, and when one is funny in this world.

A punchline names an instrument. It is funny when that instrument is heard while the punchline is spoken and is not in
the picture. Eyes tell who is in the picture, ears who plays then, words who is meant. Each by itself tells nothing;
words with eyes, or words with ears, are right in three of four.

Two instruments play under the set-up, one in the picture and one not, and the set-up speaks of the former. Two others
play under the punchline, again one in the picture and one not. The punchline names the unseen one of the two (funny,
half of the clips), the seen one of the two, or the unseen one of the set-up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator

from lstta_tasks.generate import truth
from lstta_tasks.generate.scene import INSTRUMENTS, POSITIONS, SECONDS, Scene, Split
from lstta_tasks.generate.staging import Part, Span, draw_place, draw_positions, stage_scene

Named = Literal["unseen", "seen", "earlier"]

SETUPS = (
    "we wanted a quiet evening",
    "my friend had a good idea",
    "this is a story of a concert",
    "it was a lovely day",
    "nobody wanted any music",
    "I had to play a new song",
)
ABOUT = (
    "the {} was the first to come",
    "my friend loves the {}",
    "I had a long talk with the {}",
    "everybody likes the {}",
    "the {} is an old friend",
)
PUNCHLINES = (
    "and then came the {}",
    "but nobody told the {}",
    "so I asked the {}",
    "and who was it? the {}",
    "that is why I like the {}",
    "and now listen to the {}",
)


@dataclass(frozen=True)
class Sentence:
    """Words without capitals and marks at their ends, and when each is spoken."""

    text: str
    words: tuple[Span, ...]

    @property
    def span(self) -> Span:
        """From the first word to the last."""
        return self.words[0][0], self.words[-1][1]


@dataclass(frozen=True)
class Joke:
    """A scene, what is said in it, and the instrument that the punchline names."""

    scene: Scene
    context: tuple[Sentence, ...]
    punchline: Sentence
    names: str

    @property
    def funny(self) -> bool:
        """Whether the named instrument is heard during the punchline and is not seen."""
        seen = {kind for kind, _ in truth.visible(self.scene)}
        return self.names in truth.sounding(self.scene, *self.punchline.span) and self.names not in seen


def sample_joke(rng: Generator, split: Split, named: Named) -> Joke:
    """A joke whose punchline names the unseen or the seen instrument of the punchline, or the unseen of the set-up."""
    kinds = [str(kind) for kind in rng.choice(INSTRUMENTS, 5, replace=False)]
    seen_early, seen_late, unseen_early, unseen_late, extra = kinds
    turn = float(rng.uniform(4.2, 4.8))
    early, late = (0.1, turn - 0.2), (turn, SECONDS)
    positions = draw_positions(rng, int(rng.integers(2, len(POSITIONS) + 1)))
    # Everybody who is seen moves under both parts.
    parts = [
        Part(seen_early, positions[0], plays=(early,), mimes=(late,)),
        Part(seen_late, positions[1], plays=(late,), mimes=(early,)),
        Part(unseen_early, None, plays=(early,)),
        Part(unseen_late, None, plays=(late,)),
    ]
    parts += [Part(extra, position, mimes=(early, late)) for position in positions[2:]]
    names = {"unseen": unseen_late, "seen": seen_late, "earlier": unseen_early}[named]
    pause = turn / 2
    context = (
        _spoken(rng, str(rng.choice(SETUPS)), (0.2, pause - 0.1)),
        _spoken(rng, str(rng.choice(ABOUT)).format(seen_early), (pause, turn - 0.3)),
    )
    punchline = _spoken(rng, str(rng.choice(PUNCHLINES)).format(names), (turn + 0.3, SECONDS - 0.7))
    spoken = [word for sentence in (*context, punchline) for word in sentence.words]
    return Joke(stage_scene(rng, split, parts, draw_place(rng), spoken), context, punchline, names)


def _spoken(rng: Generator, text: str, span: Span) -> Sentence:
    """A sentence with its words spread over a span by their lengths."""
    lengths = np.array([2.0 + len(word) for word in text.split()]) * rng.uniform(0.8, 1.2, len(text.split()))
    ends = np.round(span[0] + (span[1] - span[0]) * np.cumsum(lengths) / lengths.sum(), 3)
    starts = [round(span[0], 3), *ends[:-1].tolist()]
    return Sentence(text, tuple(zip(starts, ends.tolist(), strict=True)))


def balanced(rng: Generator, count: int) -> Sequence[Named]:
    """What punchlines name: half 'unseen', a quarter 'seen', a quarter 'earlier', mixed within every four."""
    four: tuple[Named, ...] = ("unseen", "unseen", "seen", "earlier")
    return [four[i] for _ in range(0, count, 4) for i in rng.permutation(4)][:count]
