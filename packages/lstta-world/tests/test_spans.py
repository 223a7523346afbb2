"""Spans against a walk through time in steps of a hundredth of a second."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from lstta_world import spans, truth
from lstta_world.scene import Scene
from lstta_world.spans import Spans

TIMES = [0.01 * step + 0.005 for step in range(800)]


def at(covering: Spans, time: float) -> bool:
    return any(start <= time < end for start, end in covering)


def drawn(seed: int) -> Spans:
    """Sorted and disjoint, with ends on the grid."""
    edges = np.sort(np.random.default_rng(seed).choice(801, 10, replace=False)) / 100
    return [(float(a), float(b)) for a, b in edges.reshape(5, 2)]


def check(computed: Spans, wanted: Callable[[float], bool]) -> None:
    assert [at(computed, time) for time in TIMES] == [wanted(time) for time in TIMES]
    edges = [edge for span in computed for edge in span]
    assert edges == sorted(set(edges)), "sorted, disjoint, none empty"


@pytest.mark.parametrize("seed", range(7))
def test_arithmetic(seed: int) -> None:
    first, second = drawn(seed), drawn(seed + 100)
    check(spans.union([*second, *first, (3.0, 3.0)]), lambda t: at(first, t) or at(second, t))
    check(spans.intersection(first, second), lambda t: at(first, t) and at(second, t))
    check(spans.complement(first, 8.0), lambda t: not at(first, t))
    seconds = sum(0.01 for t in TIMES if 2 <= t < 5 and at(first, t))
    assert spans.covered(first, 2.0, 5.0) == pytest.approx(seconds)


def test_nothing() -> None:
    assert spans.union([]) == spans.intersection([], [(0, 1)]) == []
    assert spans.complement([], 8.0) == [(0.0, 8.0)]
    assert spans.complement([(0.0, 9.0)], 8.0) == []
    assert spans.covered([], 0, 8) == 0


def test_what_performers_do(scenes: list[Scene]) -> None:
    """The flags come from the notes alone: gaps shorter than 0.3 s belong to a phrase."""
    for scene in scenes[::11]:
        everybody = truth.heard(scene)
        for who in (everybody, everybody[:1], []):
            own = {i: [(n.onset, n.onset + n.duration) for n in scene.notes if n.performer == i] for i in who}

            def sounds(time: float, own: dict[int, list[tuple[float, float]]] = own) -> bool:
                for notes in own.values():
                    last = max((end for start, end in notes if start <= time), default=-math.inf)
                    soon = min((start for start, _ in notes if start > time), default=math.inf)
                    if time < last or soon - last < truth.JOIN:
                        return True
                return False

            def enters(time: float, own: dict[int, list[tuple[float, float]]] = own) -> bool:
                return any(0 <= time - min(start for start, _ in notes) < 1 for notes in own.values())

            check(spans.playing(scene, who), sounds)
            check(spans.entries(scene, who), enters)
        for i in everybody:
            rest = [n for n in scene.notes if n.performer != i]
            last = max((n.onset + n.duration for n in scene.notes if n.performer == i), default=0.0)

            def alone(time: float, rest: list = rest, last: float = last) -> bool:  # type: ignore[type-arg]
                return time < last and all(n.onset + n.duration <= time for n in rest)

            check(spans.left_alone(scene, i), alone)
