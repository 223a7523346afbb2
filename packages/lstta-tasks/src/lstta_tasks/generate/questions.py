"""The questions of MUSIC-AVQA about a scene, with their true answers.

:data:`TEMPLATES` has all 33 templates of the data set, spelt as there (trailing blanks and a full-width question mark
included). Each has a function that yields every (values, answer) that is *unambiguous* in a scene:

- entries count as one after another from 0.5 s apart, loudness differs from 4 dB, rhythm from a factor of 1.5, length
  from 2 s; what lies closer is not asked;
- an instrument is named only where the name fits one performer, and a place asked of a sounding instrument only where
  no other of its kind moves;
- 'last' is who comes in last and also plays on longest; 'lowest' is the least loud, as the opposite of 'loudest';
- 'in the video' means visible; where something off-screen would make a count doubtful, it is not asked.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lstta_tasks.generate import truth
from lstta_tasks.generate.scene import INSTRUMENTS, POSITIONS, Scene
from lstta_tasks.generate.vocabulary import NUMBERS

APART = 0.5  # seconds
LOUDER = 10 ** (4 / 20)
FASTER = 1.5
LONGER = 2.0  # seconds
TOGETHER = 1.0  # seconds of overlap

YES_NO = ("yes", "no")
Asked = Iterator[tuple[tuple[str, ...], str]]


@dataclass(frozen=True)
class Template:
    """One question of the data set.

    Attributes:
        type: (modality, kind), as in the data set.
        text: with placeholders.
        ask: yields (values for the placeholders, answer) for a scene.
        answers: what the answers may be in this world.
    """

    type: tuple[str, str]
    text: str
    ask: Callable[[Scene], Asked]
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """A template with values and answer, about one clip."""

    template: Template
    values: tuple[str, ...]
    answer: str


def all_questions(scene: Scene) -> dict[Template, list[Question]]:
    """Every question that can be asked about a scene without ambiguity, by template; templates without any left out."""
    asked = {t: [Question(t, values, answer) for values, answer in t.ask(scene)] for t in TEMPLATES}
    return {template: questions for template, questions in asked.items() if questions}


# Who may be spoken of.


def _kind(scene: Scene, performer: int) -> str:
    return scene.performers[performer].instrument


def _named_by_ear(scene: Scene) -> dict[str, int]:
    """Kinds that one performer alone plays."""
    heard = truth.heard(scene)
    kinds = [_kind(scene, i) for i in heard]
    return {kind: i for kind, i in zip(kinds, heard, strict=True) if kinds.count(kind) == 1}


def _placed(scene: Scene) -> list[int]:
    """Visible sounding performers, left to right, that ear and eye can bring together."""
    by_ear = _named_by_ear(scene)
    result = []
    for i in truth.visible_performers(scene):
        kind = _kind(scene, i)
        twins = [j for j in truth.visible_performers(scene) if j != i and _kind(scene, j) == kind]
        if by_ear.get(kind) == i and not any(truth.motions(scene, j) for j in twins):
            result.append(i)
    return result


def _all_heard_visible(scene: Scene) -> bool:
    return all(scene.performers[i].visible for i in truth.heard(scene))


def _position(scene: Scene, performer: int) -> str:
    position = scene.performers[performer].position
    assert position is not None
    return position


def _entry(scene: Scene, place: int) -> int | None:
    """Who comes in at this place of the order (0 first, −1 last), if that is clear and there is an order at all."""
    heard = truth.heard(scene)
    if len(heard) < 2 or not -1 <= place < len(heard):
        return None
    performer = heard[place]
    others = [truth.onset(scene, i) for i in heard if i != performer]
    clear = all(abs(onset - truth.onset(scene, performer)) >= APART for onset in others)
    return performer if clear else None


def _first_or_last(scene: Scene) -> Iterator[tuple[str, int]]:
    first, last = _entry(scene, 0), _entry(scene, -1)
    if first is not None:
        yield "first", first
    if last is not None and all(
        truth.end(scene, i) + APART <= truth.end(scene, last) for i in truth.heard(scene) if i != last
    ):
        yield "last", last


def _yes(true: bool) -> str:
    return "yes" if true else "no"


# Comparisons, by ear alone and with places.

Comparison = Callable[[Scene, int, int], bool | None]


def _by_factor(measure: Callable[[Scene, int], float], factor: float) -> Comparison:
    def compare(scene: Scene, first: int, second: int) -> bool | None:
        a, b = measure(scene, first), measure(scene, second)
        return True if a >= factor * b else False if b >= factor * a else None

    return compare


louder = _by_factor(truth.loudness, LOUDER)
faster = _by_factor(truth.rhythm, FASTER)


def longer(scene: Scene, first: int, second: int) -> bool | None:
    """Whether the first plays longer; None if the two are close."""
    difference = truth.playing_time(scene, first) - truth.playing_time(scene, second)
    return difference > 0 if abs(difference) >= LONGER else None


def _compare(comparison: Comparison, naming: str) -> Callable[[Scene], Asked]:
    """Two sounding instruments, named by ``"kind"``, by ``"place"`` or by ``"both"``."""

    def ask(scene: Scene) -> Asked:
        candidates = list(_named_by_ear(scene).values()) if naming == "kind" else _placed(scene)
        for a, b in itertools.permutations(candidates, 2):
            result = comparison(scene, a, b)
            if result is None:
                continue
            values = []
            for i in (a, b):
                values += [_kind(scene, i)] if naming != "place" else []
                values += [_position(scene, i)] if naming != "kind" else []
            yield tuple(values), _yes(result)

    return ask


# Audio: counting.


def _are_there_sounds(scene: Scene) -> Asked:
    kinds = {_kind(scene, i) for i in truth.heard(scene)}
    for pair in itertools.permutations(INSTRUMENTS, 2):
        if kinds & set(pair):  # with neither there it is too easy
            yield pair, _yes(kinds >= set(pair))


def _how_many_heard(scene: Scene) -> Asked:
    heard = truth.heard(scene)
    if len(_named_by_ear(scene)) == len(heard):
        yield (), NUMBERS[len(heard)]


def _is_there_a_sound(scene: Scene) -> Asked:
    kinds = {_kind(scene, i) for i in truth.heard(scene)}
    for kind in INSTRUMENTS:
        yield (kind,), _yes(kind in kinds)


# Visual: counting and location.


def _are_there_instruments(scene: Scene) -> Asked:
    kinds = {kind for kind, _ in truth.visible(scene)}
    for pair in itertools.permutations(INSTRUMENTS, 2):
        if kinds & set(pair):
            yield pair, _yes(kinds >= set(pair))


def _how_many_visible(scene: Scene) -> Asked:
    kinds = [kind for kind, _ in truth.visible(scene)]
    for kind in INSTRUMENTS:
        yield (kind,), NUMBERS[kinds.count(kind)]


def _how_many_types_visible(scene: Scene) -> Asked:
    yield (), NUMBERS[len({kind for kind, _ in truth.visible(scene)})]


def _is_there_visible(scene: Scene) -> Asked:
    kinds = {kind for kind, _ in truth.visible(scene)}
    for kind in INSTRUMENTS:
        yield (kind,), _yes(kind in kinds)


def _neighbours(row: list[int]) -> Iterator[tuple[str, int, int]]:
    """(side, performer, who stands next to it on that side)."""
    for a, b in itertools.pairwise(row):
        yield "right", a, b
        yield "left", b, a


def _beside(scene: Scene) -> Asked:
    row = truth.visible_performers(scene)
    kinds = [_kind(scene, i) for i in row]
    for side, performer, neighbour in _neighbours(row):
        if kinds.count(_kind(scene, performer)) == 1:
            yield (side, _kind(scene, performer)), _kind(scene, neighbour)


def _outermost(scene: Scene) -> Asked:
    row = truth.visible_performers(scene)
    if len(row) > 1:
        yield ("leftest",), _kind(scene, row[0])
        yield ("rightest",), _kind(scene, row[-1])


def _what_is_it(scene: Scene) -> Asked:
    kinds = {kind for kind, _ in truth.visible(scene)}
    if len(kinds) == 1:
        yield (), kinds.pop()


def _which_place(scene: Scene) -> Asked:
    yield (), scene.place


# Audio-visual: counting and existence.


def _how_many_sounding(scene: Scene) -> Asked:
    if _all_heard_visible(scene):
        yield (), NUMBERS[len(truth.heard(scene))]


def _how_many_silent(scene: Scene) -> Asked:
    yield (), NUMBERS[len(set(truth.visible_performers(scene)) - set(truth.heard(scene)))]


def _how_many_sounding_of_a_kind(scene: Scene) -> Asked:
    heard = set(truth.heard(scene))
    for kind in {kind for kind, _ in truth.visible(scene)}:
        of_kind = [i for i in truth.visible_performers(scene) if _kind(scene, i) == kind]
        sounding = [i for i in of_kind if i in heard]
        # Among several of a kind a mime could pass for a player.
        miming = any(gesture.performer in of_kind for gesture in scene.gestures)
        if len(of_kind) == 1 or not sounding or not miming:
            yield (kind,), NUMBERS[len(sounding)]


def _how_many_types_sounding(scene: Scene) -> Asked:
    if _all_heard_visible(scene):
        yield (), NUMBERS[len({_kind(scene, i) for i in truth.heard(scene)})]


def _always_playing(scene: Scene) -> Asked:
    kinds = [kind for kind, _ in truth.visible(scene)]
    for i in truth.visible_performers(scene):
        if kinds.count(_kind(scene, i)) > 1:
            continue
        missing = scene.duration - truth.playing_time(scene, i)
        if missing <= 0.5 or missing >= LONGER:
            yield (_kind(scene, i),), _yes(missing <= 0.5)


def _voiceover(scene: Scene) -> Asked:
    yield (), _yes(bool(scene.voice))


def _sound_from_video(scene: Scene) -> Asked:
    heard = truth.heard(scene)
    if len(heard) == 1 and not scene.voice:
        yield (), _yes(scene.performers[heard[0]].visible)


# Audio-visual: location and time.


def _sound_from_place(scene: Scene) -> Asked:
    placed, row = _placed(scene), truth.visible_performers(scene)
    for which, performer in _first_or_last(scene):
        if performer in placed or not scene.performers[performer].visible:
            for other in row:
                yield (which, _position(scene, other)), _yes(other == performer)


def _beside_sounding(scene: Scene) -> Asked:
    placed = _placed(scene)
    for which, performer in _first_or_last(scene):
        for side, someone, neighbour in _neighbours(truth.visible_performers(scene)):
            if someone == performer and performer in placed:
                yield (side, which), _kind(scene, neighbour)


def _where_loudest(scene: Scene) -> Asked:
    placed, heard = _placed(scene), truth.heard(scene)
    for which, sign in (("loudest", 1), ("lowest", -1)):
        for i in placed if len(heard) > 1 else []:
            pairs = [(i, j) if sign > 0 else (j, i) for j in heard if j != i]
            if all(louder(scene, a, b) for a, b in pairs):
                yield (which,), _position(scene, i)


def _at_the_same_time(scene: Scene) -> Asked:
    named = _named_by_ear(scene)
    for kind, i in named.items():
        shared = {j: truth.overlap(scene, i, j) for j in truth.heard(scene) if j != i}
        together = [j for j, seconds in shared.items() if seconds > 0]
        if len(together) == 1 and together[0] in named.values() and shared[together[0]] >= TOGETHER:
            yield (kind,), _kind(scene, together[0])


def _who_comes_in(scene: Scene) -> Asked:
    named = _named_by_ear(scene)
    for place, word in enumerate(("first", "second", "third")):
        performer = _entry(scene, place)
        if performer in named.values() and performer is not None:
            yield (word,), _kind(scene, performer)


def _where_sounding(scene: Scene) -> Asked:
    placed = _placed(scene)
    if len(truth.visible_performers(scene)) > 1:
        for which, performer in _first_or_last(scene):
            if performer in placed:
                yield (which,), _position(scene, performer)


def _which_of_a_kind(scene: Scene) -> Asked:
    heard = set(truth.heard(scene))
    for kind in {kind for kind, _ in truth.visible(scene)}:
        of_kind = [i for i in truth.visible_performers(scene) if _kind(scene, i) == kind]
        playing = sorted((truth.onset(scene, i), i) for i in of_kind if i in heard)
        if len(playing) < 2 or any(gesture.performer in of_kind for gesture in scene.gestures):
            continue
        if playing[-1][0] - playing[0][0] < 0.05:
            yield (kind, "first"), "simultaneously"
        elif playing[1][0] - playing[0][0] >= APART:
            yield (kind, "first"), _position(scene, playing[0][1])


def _before_or_after(scene: Scene) -> Asked:
    named, heard = _named_by_ear(scene), truth.heard(scene)
    for kind, i in named.items():
        gaps = {j: truth.onset(scene, j) - truth.onset(scene, i) for j in heard if j != i}
        if any(abs(gap) < APART for gap in gaps.values()):
            continue
        for word, side in (("before", -1), ("after", 1)):
            there = [j for j, gap in gaps.items() if gap * side > 0]
            if len(there) == 1 and there[0] in named.values():
                yield (word, kind), _kind(scene, there[0])


_AUDIO, _VISUAL, _BOTH = "Audio", "Visual", "Audio-Visual"

# fmt: off
# A line each: modality, kind, text, how it is asked, answers.
TEMPLATES = tuple(
    Template((modality, kind), text, ask, answers)
    for modality, kind, text, ask, answers in (
        (_AUDIO, "Comparative", "Is the <Object> louder than the <Object>?", _compare(louder, "kind"), YES_NO),
        (_AUDIO, "Comparative", "Is the <Object> more rhythmic than the <Object>?", _compare(faster, "kind"), YES_NO),
        (_AUDIO, "Comparative", "Is the <Object> playing longer than the <Object>?", _compare(longer, "kind"), YES_NO),
        (_AUDIO, "Counting", "Are there <Object> and <Object> sound? ", _are_there_sounds, YES_NO),
        (_AUDIO, "Counting", "How many musical instruments were heard throughout the video?", _how_many_heard, NUMBERS[:6]),
        (_AUDIO, "Counting", "Is there a <Object> sound?", _is_there_a_sound, YES_NO),
        (_BOTH, "Comparative", "Is the <Object> on the <LR> louder than the <Object> on the <LR>?", _compare(louder, "both"), YES_NO),
        (_BOTH, "Comparative", "Is the <Object> on the <LR> more rhythmic than the <Object> on the <LR>?", _compare(faster, "both"), YES_NO),
        (_BOTH, "Comparative", "Is the instrument on the <LR> louder than the instrument on the <LR>?", _compare(louder, "place"), YES_NO),
        (_BOTH, "Comparative", "Is the instrument on the <LR> more rhythmic than the instrument on the <LR>?", _compare(faster, "place"), YES_NO),
        (_BOTH, "Counting", "How many instruments are sounding in the video?", _how_many_sounding, NUMBERS[:4]),
        (_BOTH, "Counting", "How many instruments in the video did not sound from beginning to end?", _how_many_silent, NUMBERS[:4]),
        (_BOTH, "Counting", "How many sounding <Object> in the video？", _how_many_sounding_of_a_kind, NUMBERS[:4]),
        (_BOTH, "Counting", "How many types of musical instruments sound in the video?", _how_many_types_sounding, NUMBERS[:4]),
        (_BOTH, "Existential", "Is the <Object> in the video always playing?", _always_playing, YES_NO),
        (_BOTH, "Existential", "Is there a voiceover?", _voiceover, YES_NO),
        (_BOTH, "Existential", "Is this sound from the instrument in the video?", _sound_from_video, YES_NO),
        (_BOTH, "Location", "Is the <FL> sound coming from the <LR> instrument?", _sound_from_place, YES_NO),
        (_BOTH, "Location", "What is the <LR> instrument of the <FL> sounding instrument?", _beside_sounding, INSTRUMENTS),
        (_BOTH, "Location", "Where is the <LL> instrument?", _where_loudest, POSITIONS),
        (_BOTH, "Location", "Which is the musical instrument that sounds at the same time as the <Object>?", _at_the_same_time, INSTRUMENTS),
        (_BOTH, "Temporal", "What is the <TH> instrument that comes in?", _who_comes_in, INSTRUMENTS),
        (_BOTH, "Temporal", "Where is the <FL> sounding instrument?", _where_sounding, POSITIONS),
        (_BOTH, "Temporal", "Which <Object> makes the sound <FL>?", _which_of_a_kind, (*POSITIONS, "simultaneously")),
        (_BOTH, "Temporal", "Which instrument makes sounds <BA> the <Object>?", _before_or_after, INSTRUMENTS),
        (_VISUAL, "Counting", "Are there <Object> and <Object> instruments in the video?", _are_there_instruments, YES_NO),
        (_VISUAL, "Counting", "How many <Object> are in the entire video?", _how_many_visible, NUMBERS[:4]),
        (_VISUAL, "Counting", "How many types of musical instruments appeared in the entire video?", _how_many_types_visible, NUMBERS[1:4]),
        (_VISUAL, "Counting", "Is there a <Object> in the entire video?", _is_there_visible, YES_NO),
        (_VISUAL, "Location", "What is the instrument on the <LR> of <Object>?", _beside, INSTRUMENTS),
        (_VISUAL, "Location", "What kind of instrument is the <LRer> instrument? ", _outermost, INSTRUMENTS),
        (_VISUAL, "Location", "What kind of musical instrument is it?", _what_is_it, INSTRUMENTS),
        (_VISUAL, "Location", "Where is the performance?", _which_place, ("indoor", "outdoor")),
    )
)
# fmt: on
