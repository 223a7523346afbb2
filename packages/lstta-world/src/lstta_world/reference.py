"""Who in a scene a question may speak of without ambiguity, and which comparisons are clear enough to ask.

- Entries count as one after another from 0.5 s apart; loudness differs from 4 dB, rhythm from a factor of 1.5, length
  from 2 s; what lies closer is not asked.
- An instrument is named only where the name fits one performer; a place is asked of a sounding instrument only where no
  other of its kind moves.
- 'Last' is who comes in last and also plays on longest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lstta_world import truth
from lstta_world.scene import Scene

APART = 0.5  # seconds
LOUDER = 10 ** (4 / 20)
FASTER = 1.5
LONGER = 2.0  # seconds

Asked = Iterator[tuple[tuple[str, ...], str]]  # values for the placeholders, and the answer
Comparison = Callable[[Scene, int, int], bool | None]  # of two performers; None where it is not clear


def kind_of(scene: Scene, performer: int) -> str:
    """The performer's instrument."""
    return scene.performers[performer].instrument


def named_by_ear(scene: Scene) -> dict[str, int]:
    """Kinds that one performer alone plays."""
    heard = truth.heard(scene)
    kinds = [kind_of(scene, i) for i in heard]
    return {kind: i for kind, i in zip(kinds, heard, strict=True) if kinds.count(kind) == 1}


def placed(scene: Scene) -> list[int]:
    """Visible sounding performers, left to right, that ear and eye can bring together."""
    by_ear = named_by_ear(scene)
    result = []
    for i in truth.visible_performers(scene):
        kind = kind_of(scene, i)
        twins = [j for j in truth.visible_performers(scene) if j != i and kind_of(scene, j) == kind]
        if by_ear.get(kind) == i and not any(truth.motions(scene, j) for j in twins):
            result.append(i)
    return result


def all_heard_visible(scene: Scene) -> bool:
    """Whether nothing sounds off-screen."""
    return all(scene.performers[i].visible for i in truth.heard(scene))


def position_of(scene: Scene, performer: int) -> str:
    """Where a visible performer is."""
    position = scene.performers[performer].position
    assert position is not None
    return position


def entering(scene: Scene, place: int) -> int | None:
    """Who comes in at this place of the order (0 first, −1 last), if that is clear and there is an order at all."""
    heard = truth.heard(scene)
    if len(heard) < 2 or not -1 <= place < len(heard):
        return None
    performer = heard[place]
    others = [truth.onset(scene, i) for i in heard if i != performer]
    clear = all(abs(onset - truth.onset(scene, performer)) >= APART for onset in others)
    return performer if clear else None


def first_or_last(scene: Scene) -> Iterator[tuple[str, int]]:
    """Who is the first, who the last sounding instrument, as far as that is clear."""
    first, last = entering(scene, 0), entering(scene, -1)
    if first is not None:
        yield "first", first
    if last is not None and all(
        truth.end(scene, i) + APART <= truth.end(scene, last) for i in truth.heard(scene) if i != last
    ):
        yield "last", last


def by_factor(measure: Callable[[Scene, int], float], factor: float) -> Comparison:
    """Whether the first's measure is the larger by ``factor``, or the second's, or (None) neither."""

    def compare(scene: Scene, first: int, second: int) -> bool | None:
        a, b = measure(scene, first), measure(scene, second)
        return True if a >= factor * b else False if b >= factor * a else None

    return compare


louder = by_factor(truth.loudness, LOUDER)
faster = by_factor(truth.rhythm, FASTER)


def longer(scene: Scene, first: int, second: int) -> bool | None:
    """Whether the first plays longer; None if the two are close."""
    difference = truth.playing_time(scene, first) - truth.playing_time(scene, second)
    return difference > 0 if abs(difference) >= LONGER else None


def yes_no(true: bool) -> str:
    """The answer's word."""
    return "yes" if true else "no"
