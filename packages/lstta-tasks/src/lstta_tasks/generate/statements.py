"""True and false statements about a story: each needs two or three of sight, sound and subtitles at once.

A pair differs in one fact, and what is false of the one act or performer is true of another of the same story, so that
words, eyes, ears and subtitles alone cannot tell the two apart:

| kind | needs | differs in |
|---|---|---|
| ``said`` | sound, subtitles | who plays while a line is said |
| ``placed`` | sight, sound, subtitles | where the one stands who plays while a line is said |
| ``named`` | sight, subtitles | where the instrument stands that the narrator names |
| ``ordered`` | sight, sound | where the first or last instrument that is heard stands |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from numpy.random import Generator

from lstta_tasks.generate import truth
from lstta_tasks.generate.captions import at
from lstta_tasks.generate.narration import Line, Story, playing_during, position_of_kind
from lstta_tasks.generate.reference import kind_of

# Each is filled with the fact and, where there is one, the line or the place in the order.
WORDINGS: dict[str, tuple[str, ...]] = {
    "said": (
        'the {fact} plays while the narrator says "{given}"',
        'while the narrator says "{given}", we hear the {fact}',
        'the narrator says "{given}" while the {fact} is heard',
    ),
    "placed": (
        'the instrument {fact} plays while the narrator says "{given}"',
        'while the narrator says "{given}", we hear the instrument {fact}',
        'the narrator says "{given}" while the instrument {fact} is heard',
    ),
    "named": (
        "the narrator speaks of the instrument {fact}",
        "the instrument {fact} is the one that the narrator names",
        "the narrator names the instrument {fact}",
    ),
    "ordered": (
        "the instrument {fact} is heard {given}",
        "the {given} sound comes from the instrument {fact}",
        "the {given} instrument that we hear stands {fact}",
    ),
}


@dataclass(frozen=True)
class Fact:
    """What a statement tells.

    Attributes:
        kind: a key of :data:`WORDINGS`.
        given: the line that is quoted, ``first`` or ``last``, or nothing.
        true: an instrument, or a position in words.
        false: others of the story that are not true.
    """

    kind: str
    given: str
    true: str
    false: tuple[str, ...]


def all_facts(story: Story) -> list[Fact]:
    """All that can be stated about a story."""
    return [fact for kind in (_said, _placed, _named, _ordered) for fact in kind(story)]


def sample_pairs(rng: Generator, story: Story, count: int) -> list[tuple[Fact, tuple[str, str]]]:
    """Different facts, each with its true and its false statement in the same words.

    Raises:
        ValueError: the story has fewer facts than ``count``.
    """
    facts = all_facts(story)
    if len(facts) < count:
        raise ValueError(f"the story allows {len(facts)} statements, count={count}")
    kinds = list(dict.fromkeys(fact.kind for fact in facts))
    chosen: list[Fact] = []
    while len(chosen) < count:
        for i in rng.permutation(len(kinds)):
            left = [fact for fact in facts if fact.kind == kinds[i] and fact not in chosen]
            if left and len(chosen) < count:
                chosen.append(left[rng.integers(len(left))])
    return [(fact, _pair(rng, fact)) for fact in chosen]


def _pair(rng: Generator, fact: Fact) -> tuple[str, str]:
    wordings = WORDINGS[fact.kind]
    wording = wordings[rng.integers(len(wordings))]
    false = fact.false[rng.integers(len(fact.false))]
    return wording.format(fact=fact.true, given=fact.given), wording.format(fact=false, given=fact.given)


def _said(story: Story) -> Iterator[Fact]:
    heard = [kind_of(story.scene, i) for i in truth.heard(story.scene)]
    for line in story.lines:
        player = _player(story, line)
        yield Fact("said", line.text, player, tuple(kind for kind in heard if kind != player))


def _placed(story: Story) -> Iterator[Fact]:
    for line in story.lines:
        yield from _where("placed", line.text, story, _player(story, line))


def _named(story: Story) -> Iterator[Fact]:
    for line in story.lines:
        if line.names is not None:
            yield from _where("named", "", story, line.names)


def _ordered(story: Story) -> Iterator[Fact]:
    heard = [kind_of(story.scene, i) for i in truth.heard(story.scene)]
    yield from _where("ordered", "first", story, heard[0])
    yield from _where("ordered", "last", story, heard[-1])


def _where(kind: str, given: str, story: Story, instrument: str) -> Iterator[Fact]:
    position = position_of_kind(story.scene, instrument)
    if position is not None:
        others = tuple(at(other) for _, other in truth.visible(story.scene) if other != position)
        yield Fact(kind, given, at(position), others)


def _player(story: Story, line: Line) -> str:
    playing = playing_during(story.scene, line.span)
    assert len(playing) == 1, (line, playing)
    return playing[0]
