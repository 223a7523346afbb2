"""Questions that ears alone or eyes alone can answer: each function yields (values, answer) for a scene."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from lstta_world import truth
from lstta_world.reference import Asked, kind_of, named_by_ear, yes_no
from lstta_world.scene import INSTRUMENTS, Scene
from lstta_world.vocabulary import NUMBERS


def are_there_sounds(scene: Scene) -> Asked:
    kinds = {kind_of(scene, i) for i in truth.heard(scene)}
    for pair in itertools.permutations(INSTRUMENTS, 2):
        if kinds & set(pair):  # with neither there it is too easy
            yield pair, yes_no(kinds >= set(pair))


def how_many_heard(scene: Scene) -> Asked:
    heard = truth.heard(scene)
    if len(named_by_ear(scene)) == len(heard):
        yield (), NUMBERS[len(heard)]


def is_there_a_sound(scene: Scene) -> Asked:
    kinds = {kind_of(scene, i) for i in truth.heard(scene)}
    for kind in INSTRUMENTS:
        yield (kind,), yes_no(kind in kinds)


# Visual: counting and location.


def are_there_instruments(scene: Scene) -> Asked:
    kinds = {kind for kind, _ in truth.visible(scene)}
    for pair in itertools.permutations(INSTRUMENTS, 2):
        if kinds & set(pair):
            yield pair, yes_no(kinds >= set(pair))


def how_many_visible(scene: Scene) -> Asked:
    kinds = [kind for kind, _ in truth.visible(scene)]
    for kind in INSTRUMENTS:
        yield (kind,), NUMBERS[kinds.count(kind)]


def how_many_types_visible(scene: Scene) -> Asked:
    yield (), NUMBERS[len({kind for kind, _ in truth.visible(scene)})]


def is_there_visible(scene: Scene) -> Asked:
    kinds = {kind for kind, _ in truth.visible(scene)}
    for kind in INSTRUMENTS:
        yield (kind,), yes_no(kind in kinds)


def neighbours(row: list[int]) -> Iterator[tuple[str, int, int]]:
    """(side, performer, who stands next to it on that side)."""
    for a, b in itertools.pairwise(row):
        yield "right", a, b
        yield "left", b, a


def beside(scene: Scene) -> Asked:
    row = truth.visible_performers(scene)
    kinds = [kind_of(scene, i) for i in row]
    for side, performer, neighbour in neighbours(row):
        if kinds.count(kind_of(scene, performer)) == 1:
            yield (side, kind_of(scene, performer)), kind_of(scene, neighbour)


def outermost(scene: Scene) -> Asked:
    row = truth.visible_performers(scene)
    if len(row) > 1:
        yield ("leftest",), kind_of(scene, row[0])
        yield ("rightest",), kind_of(scene, row[-1])


def what_is_it(scene: Scene) -> Asked:
    kinds = {kind for kind, _ in truth.visible(scene)}
    if len(kinds) == 1:
        yield (), kinds.pop()


def which_place(scene: Scene) -> Asked:
    yield (), scene.place
