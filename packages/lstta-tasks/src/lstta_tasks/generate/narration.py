"""Stories of a few acts for ``violin.py``: in each act one instrument plays while a narrator says a line.

Whoever is seen moves in every act, playing or miming, so that motion tells nothing of who plays. One line names an
instrument of the picture, whether or not it is the one that plays; the others name none.
"""

from __future__ import annotations

from dataclasses import dataclass

from numpy.random import Generator

from lstta_tasks.generate import truth
from lstta_tasks.generate.reference import kind_of
from lstta_tasks.generate.scene import INSTRUMENTS, SECONDS, Position, Scene, Split
from lstta_tasks.generate.staging import Part, Span, draw_place, draw_positions, stage_scene

NAMING = (
    "now listen to the {}",
    "here is the {}",
    "who plays the {}?",
    "I wish I had a {}",
    "my friend loves the {}",
    "tell me about the {}",
)
PLAIN = (
    "welcome to our concert",
    "what a lovely day",
    "my name is Anna",
    "my name is Otto",
    "I wish you a good evening",
    "listen to our friends",
    "this is a new song",
    "tell me what you hear",
)
SHORTFALL = 0.5  # seconds by which a melody of whole notes may end before its act does
HIDDEN = 0.3  # of the stories have one player off-screen


@dataclass(frozen=True)
class Line:
    """What the narrator says, when, and which instrument is named."""

    text: str
    span: Span
    names: str | None


@dataclass(frozen=True)
class Story:
    """A scene with the narrator's lines, in time."""

    scene: Scene
    lines: tuple[Line, ...]


def sample_story(rng: Generator, split: Split) -> Story:
    """Two or three acts; two or three instruments are seen, all instruments differ."""
    acts = int(rng.integers(2, 4))
    seen = int(rng.integers(acts, 4))
    kinds = [str(kind) for kind in rng.choice(INSTRUMENTS, seen + 1, replace=False)]
    visible, hidden = kinds[:seen], kinds[seen]
    players = [visible[i] for i in rng.permutation(seen)[:acts]]
    if rng.random() < HIDDEN:
        players[int(rng.integers(acts))] = hidden
    length = SECONDS / acts
    spans = [(act * length + 0.1, (act + 1) * length - 0.3) for act in range(acts)]
    positions = dict(zip(visible, draw_positions(rng, seen), strict=True))
    parts = [
        Part(
            kind,
            positions.get(kind),
            plays=tuple(span for span, player in zip(spans, players, strict=True) if player == kind),
            mimes=tuple(span for span, player in zip(spans, players, strict=True) if player != kind),
        )
        for kind in ([*visible, hidden] if hidden in players else visible)
    ]
    lines = _lines(rng, spans, visible[int(rng.integers(seen))])
    scene = stage_scene(rng, split, parts, draw_place(rng), [line.span for line in lines])
    return Story(scene, lines)


def _lines(rng: Generator, spans: list[Span], named: str) -> tuple[Line, ...]:
    where = int(rng.integers(len(spans)))
    plain = rng.permutation(len(PLAIN))
    lines = []
    for act, (start, end) in enumerate(spans):
        begin = start + float(rng.uniform(0.2, 0.5))
        text = NAMING[rng.integers(len(NAMING))].format(named) if act == where else PLAIN[plain[act]]
        stop = min(begin + float(rng.uniform(1.3, 2.2)), end - SHORTFALL)
        # Whole milliseconds, as the file has them.
        lines.append(Line(text, (round(begin, 3), round(stop, 3)), named if act == where else None))
    return tuple(lines)


def playing_during(scene: Scene, span: Span) -> list[str]:
    """The instruments that are heard in all of a span, with pauses of less than 0.3 s."""
    return [
        kind_of(scene, i)
        for i in truth.heard(scene)
        if any(start <= span[0] and span[1] <= end for start, end in truth.phrases(truth.notes_of(scene, i)))
    ]


def position_of_kind(scene: Scene, kind: str) -> Position | None:
    """Where an instrument is seen; None if it is not."""
    return dict(truth.visible(scene)).get(kind)
