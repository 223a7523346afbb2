"""Captions that roll: a line comes, is repeated while it stands, and is repeated above the line that follows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

FLASH = 0.05  # seconds; the captions that only fix a line's place last a hundredth
TOUCHING = 0.1  # seconds between two captions, the second of which goes on with the first's lines
MOST_LINES = 8  # of a caption that are looked at; screens have room for four
FEW = 3  # pairs of captions that roll, from which a file without other signs is taken for one that rolls


@dataclass(frozen=True)
class Cue:
    """A caption.

    Attributes:
        start, end: in seconds.
        lines: without markup and empty ones.
        spoken: of each line, whether its words have times: then it is said in this caption, and repeats none.
    """

    start: float
    end: float
    lines: Sequence[str]
    spoken: Sequence[bool]

    @property
    def flash(self) -> bool:
        return self.end - self.start <= FLASH


def unrolled(cues: Sequence[Cue]) -> Iterable[Cue]:
    """The captions with each line where it came first; those of a file that does not roll as they are."""
    pairs = [(before, cue, _repeated(before, cue)) for before, cue in pairwise(cues)]
    if not _rolls(pairs):
        return cues
    new = list(cues[:1])
    for before, cue, count in pairs:
        rolled = 0 < count < len(cue.lines) or cue.flash or cue.start - before.end <= TOUCHING
        count = count if rolled else 0
        new.append(replace(cue, lines=cue.lines[count:], spoken=cue.spoken[count:]))
    return new


def _repeated(before: Cue, cue: Cue) -> int:
    """How many lines at a caption's top are the last ones of the caption before it."""
    most = min(len(before.lines), len(cue.lines), MOST_LINES)
    own = next((place for place, spoken in enumerate(cue.spoken) if spoken), len(cue.lines))
    counts = range(min(most, own), 0, -1)
    return next((n for n in counts if tuple(before.lines[-n:]) == tuple(cue.lines[:n])), 0)


def _rolls(pairs: Sequence[tuple[Cue, Cue, int]]) -> bool:
    """Whether a file's captions roll: ordinary ones may say the same twice."""
    rolling = sum(0 < count < len(cue.lines) for _, cue, count in pairs)
    if any(count and cue.flash and count == len(cue.lines) for _, cue, count in pairs):
        return True
    if rolling and any(any(cue.spoken) for _, cue, _ in pairs):
        return True
    return rolling >= FEW and 2 * rolling >= len(pairs)
