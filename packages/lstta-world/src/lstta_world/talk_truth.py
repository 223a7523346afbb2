"""What is true of a talker's clip: pure functions, no pictures, no sound. Intervals are half open, in seconds."""

from __future__ import annotations

from lstta_world.talk import Expression, Talk


def spoken(talk: Talk) -> tuple[float, float]:
    """When the line begins and ends."""
    return talk.words[0].onset, talk.words[-1].onset + talk.words[-1].duration


def speaks(talk: Talk, start: float, end: float, least: float = 0.1) -> bool:
    """Whether the line is spoken for at least ``least`` seconds of [start, end)."""
    first, last = spoken(talk)
    return min(last, end) - max(first, start) >= least


def mouth_moves(talk: Talk, seconds: float) -> bool:
    """Whether the mouth moves at a time, speaking or silently."""
    spans = [spoken(talk), *((chew.onset, chew.onset + chew.duration) for chew in talk.chews)]
    return any(start <= seconds < end for start, end in spans)


def expression_at(talk: Talk, seconds: float) -> Expression:
    """The expression shown at a time."""
    return [look.expression for look in talk.looks if look.onset <= seconds][-1]


def expression(talk: Talk) -> Expression:
    """The expression shown while the line is spoken: the one that covers most of it."""
    first, last = spoken(talk)
    ends = [look.onset for look in talk.looks[1:]] + [talk.duration]
    covered = [min(last, end) - max(first, look.onset) for look, end in zip(talk.looks, ends, strict=True)]
    return talk.looks[covered.index(max(covered))].expression
