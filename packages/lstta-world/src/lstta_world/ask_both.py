"""Questions that need ears and eyes: each function yields (values, answer) for a scene.

Comparisons are here too, since the same ones are asked with places and by name alone.
'In the video' means visible; where something off-screen would make a count doubtful, it is not asked. 'Lowest' is the
least loud, as the opposite of 'loudest'.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from lstta_world import truth
from lstta_world.ask_alone import neighbours
from lstta_world.reference import (
    APART,
    LONGER,
    Asked,
    Comparison,
    all_heard_visible,
    entering,
    first_or_last,
    kind_of,
    louder,
    named_by_ear,
    placed,
    position_of,
    yes_no,
)
from lstta_world.scene import Scene
from lstta_world.vocabulary import NUMBERS

TOGETHER = 1.0  # seconds of overlap that make 'at the same time' true


def compare(comparison: Comparison, naming: str) -> Callable[[Scene], Asked]:
    """Two sounding instruments, named by ``"kind"``, by ``"place"`` or by ``"both"``."""

    def ask(scene: Scene) -> Asked:
        candidates = list(named_by_ear(scene).values()) if naming == "kind" else placed(scene)
        for a, b in itertools.permutations(candidates, 2):
            result = comparison(scene, a, b)
            if result is None:
                continue
            values = []
            for i in (a, b):
                values += [kind_of(scene, i)] if naming != "place" else []
                values += [position_of(scene, i)] if naming != "kind" else []
            yield tuple(values), yes_no(result)

    return ask


def how_many_sounding(scene: Scene) -> Asked:
    if all_heard_visible(scene):
        yield (), NUMBERS[len(truth.heard(scene))]


def how_many_silent(scene: Scene) -> Asked:
    yield (), NUMBERS[len(set(truth.visible_performers(scene)) - set(truth.heard(scene)))]


def how_many_sounding_of_a_kind(scene: Scene) -> Asked:
    heard = set(truth.heard(scene))
    for kind in sorted({kind for kind, _ in truth.visible(scene)}):
        of_kind = [i for i in truth.visible_performers(scene) if kind_of(scene, i) == kind]
        sounding = [i for i in of_kind if i in heard]
        # Among several of a kind a mime could pass for a player.
        miming = any(gesture.performer in of_kind for gesture in scene.gestures)
        if len(of_kind) == 1 or not sounding or not miming:
            yield (kind,), NUMBERS[len(sounding)]


def how_many_types_sounding(scene: Scene) -> Asked:
    if all_heard_visible(scene):
        yield (), NUMBERS[len({kind_of(scene, i) for i in truth.heard(scene)})]


def always_playing(scene: Scene) -> Asked:
    kinds = [kind for kind, _ in truth.visible(scene)]
    for i in truth.visible_performers(scene):
        if kinds.count(kind_of(scene, i)) > 1:
            continue
        missing = scene.duration - truth.playing_time(scene, i)
        if missing <= 0.5 or missing >= LONGER:
            yield (kind_of(scene, i),), yes_no(missing <= 0.5)


def voiceover(scene: Scene) -> Asked:
    yield (), yes_no(bool(scene.voice))


def sound_from_video(scene: Scene) -> Asked:
    heard = truth.heard(scene)
    if len(heard) == 1 and not scene.voice:
        yield (), yes_no(scene.performers[heard[0]].visible)


# Audio-visual: location and time.


def sound_from_place(scene: Scene) -> Asked:
    clear, row = placed(scene), truth.visible_performers(scene)
    for which, performer in first_or_last(scene):
        if performer in clear or not scene.performers[performer].visible:
            for other in row:
                yield (which, position_of(scene, other)), yes_no(other == performer)


def beside_sounding(scene: Scene) -> Asked:
    clear = placed(scene)
    for which, performer in first_or_last(scene):
        for side, someone, neighbour in neighbours(truth.visible_performers(scene)):
            if someone == performer and performer in clear:
                yield (side, which), kind_of(scene, neighbour)


def where_loudest(scene: Scene) -> Asked:
    clear, heard = placed(scene), truth.heard(scene)
    for which, sign in (("loudest", 1), ("lowest", -1)):
        for i in clear if len(heard) > 1 else []:
            pairs = [(i, j) if sign > 0 else (j, i) for j in heard if j != i]
            if all(louder(scene, a, b) for a, b in pairs):
                yield (which,), position_of(scene, i)


def at_the_same_time(scene: Scene) -> Asked:
    named = named_by_ear(scene)
    for kind, i in named.items():
        shared = {j: truth.overlap(scene, i, j) for j in truth.heard(scene) if j != i}
        together = [j for j, seconds in shared.items() if seconds > 0]
        if len(together) == 1 and together[0] in named.values() and shared[together[0]] >= TOGETHER:
            yield (kind,), kind_of(scene, together[0])


def who_comes_in(scene: Scene) -> Asked:
    named = named_by_ear(scene)
    for place, word in enumerate(("first", "second", "third")):
        performer = entering(scene, place)
        if performer in named.values() and performer is not None:
            yield (word,), kind_of(scene, performer)


def where_sounding(scene: Scene) -> Asked:
    clear = placed(scene)
    if len(truth.visible_performers(scene)) > 1:
        for which, performer in first_or_last(scene):
            if performer in clear:
                yield (which,), position_of(scene, performer)


def which_of_a_kind(scene: Scene) -> Asked:
    heard = set(truth.heard(scene))
    for kind in sorted({kind for kind, _ in truth.visible(scene)}):
        of_kind = [i for i in truth.visible_performers(scene) if kind_of(scene, i) == kind]
        playing = sorted((truth.onset(scene, i), i) for i in of_kind if i in heard)
        if len(playing) < 2 or any(gesture.performer in of_kind for gesture in scene.gestures):
            continue
        if playing[-1][0] - playing[0][0] < 0.05:
            yield (kind, "first"), "simultaneously"
        elif playing[1][0] - playing[0][0] >= APART:
            yield (kind, "first"), position_of(scene, playing[0][1])


def before_or_after(scene: Scene) -> Asked:
    named, heard = named_by_ear(scene), truth.heard(scene)
    for kind, i in named.items():
        gaps = {j: truth.onset(scene, j) - truth.onset(scene, i) for j in heard if j != i}
        if any(abs(gap) < APART for gap in gaps.values()):
            continue
        for word, side in (("before", -1), ("after", 1)):
            that_side = [j for j, gap in gaps.items() if gap * side > 0]
            if len(that_side) == 1 and that_side[0] in named.values():
                yield (word, kind), kind_of(scene, that_side[0])
