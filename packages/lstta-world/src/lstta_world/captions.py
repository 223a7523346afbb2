"""What is seen and heard in a scene as a whole, and sentences that say so.

A sentence tells where it is, who stands where, who is heard in which order, and whether a voice speaks: all that
tells the clips of ``msrvtt.py`` apart, in words that vary.
"""

from __future__ import annotations

from dataclasses import dataclass

from numpy.random import Generator

from lstta_world import truth
from lstta_world.reference import kind_of
from lstta_world.scene import Place, Position, Scene


@dataclass(frozen=True)
class Sight:
    """What is seen: the place, and instruments with their positions from left to right."""

    place: Place
    seen: tuple[tuple[str, Position], ...]


@dataclass(frozen=True)
class Sound:
    """What is heard: instruments in the order in which they come in, and whether a voice speaks."""

    order: tuple[str, ...]
    voice: bool


@dataclass(frozen=True)
class Description:
    """All that a caption tells of a clip."""

    sight: Sight
    sound: Sound


def describe(scene: Scene) -> Description:
    """What is true of a scene."""
    order = tuple(kind_of(scene, i) for i in truth.heard(scene))
    return Description(Sight(scene.place, tuple(truth.visible(scene))), Sound(order, bool(scene.voice)))


def caption(rng: Generator, description: Description) -> str:
    """A sentence that says all of the description; without a capital and a full stop, as in MSR-VTT."""
    sight = _sight(rng, description.sight)
    sound = _sound(rng, description)
    return f"{sight}; {sound}" if rng.random() < 0.6 else f"{sound}; {sight}"


def _sight(rng: Generator, sight: Sight) -> str:
    where = f"{sight.place}s"
    things = listed([f"{named(kind)} {at(position)}" for kind, position in sight.seen])
    is_, stand = ("is", "stands") if len(sight.seen) == 1 else ("are", "stand")
    return _one(
        rng,
        f"{where} there is {things}",
        f"{where} we see {things}",
        f"{things} {stand} {where}",
        f"{things} {is_} seen {where}",
    )


def _sound(rng: Generator, description: Description) -> str:
    heard = [_name(rng, kind, description.sight) for kind in description.sound.order]
    first, *then = heard
    if not then:
        music = _one(rng, f"{first} is heard alone", f"we hear only {first}", f"only {first} plays")
    elif len(then) == 1:
        music = _one(
            rng,
            f"first {first} is heard, then {then[0]}",
            f"we hear {first} and then {then[0]}",
            f"{first} plays before {then[0]}",
            f"{then[0]} comes in after {first}",
        )
    else:
        music = _one(
            rng,
            f"first {first} is heard, then {then[0]} and then {then[1]}",
            f"we hear {first}, then {then[0]} and then {then[1]}",
            f"{first} comes in before {then[0]}, and {then[1]} comes in last",
            f"{then[0]} comes in after {first} and before {then[1]}",
        )
    if description.sound.voice:
        return _one(
            rng, f"{music}, and a voice speaks", f"{music}, while somebody speaks", f"a voice speaks and {music}"
        )
    return _one(rng, f"{music}, and nobody speaks", f"{music}, without a voice", f"nobody speaks and {music}")


def _name(rng: Generator, kind: str, sight: Sight) -> str:
    position = dict(sight.seen).get(kind)
    if position is None:
        return _one(rng, named(kind), f"an unseen {kind}")
    return _one(rng, f"the {kind}", f"the {kind} {at(position)}")


def named(kind: str) -> str:
    """With the indefinite article."""
    return f"{'an' if kind == 'accordion' else 'a'} {kind}"


def at(position: Position) -> str:
    """Where that is, in words."""
    return "in the middle" if position == "middle" else f"on the {position}"


def listed(items: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else items[0]


def _one(rng: Generator, *choices: str) -> str:
    return choices[rng.integers(len(choices))]
