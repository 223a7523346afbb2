"""How talkers are drawn at random: who they are, and when they say and show what. Everything in it is our choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.random import Generator

from lstta_world.scene import Place
from lstta_world.speech_rate import word_times
from lstta_world.splits import Split
from lstta_world.styles import STYLES, Ranges, draw
from lstta_world.talk import (
    EXPRESSIONS,
    SECONDS,
    Chew,
    Contour,
    Expression,
    Face,
    Hair,
    Look,
    Person,
    Talk,
    Tone,
    Voice,
    Word,
)

LEAD = 0.4  # seconds at least before the line, and after it
LATEST = 1.4  # seconds at most before it


@dataclass(frozen=True)
class TalkStyle:
    """The ranges that the looks and voices of a split are drawn from."""

    hair: tuple[Hair, ...]
    hue: Ranges
    value: Ranges
    hair_value: Ranges
    size: Ranges
    shape: Ranges
    strength: Ranges
    pitch: Ranges
    tract: Ranges
    breath: Ranges
    pace: Ranges


SEEN = TalkStyle(
    hair=("short", "long", "bald"),
    hue=((16, 32),),
    value=((0.62, 0.98),),
    hair_value=((0.08, 0.5),),
    size=((0.92, 1.06),),
    shape=((0.9, 1.08),),
    strength=((0.85, 1.15),),
    pitch=((105, 135), (160, 215)),
    tract=((0.94, 1.08),),
    breath=((0.6, 1.3),),
    pace=((0.9, 1.1),),
)
UNSEEN = TalkStyle(
    hair=("curly", "hat"),
    hue=((8, 14), (34, 42)),
    value=((0.52, 0.6),),
    hair_value=((0.55, 0.75),),
    size=((0.84, 0.9), (1.08, 1.12)),
    shape=((0.82, 0.88), (1.1, 1.16)),
    strength=((0.72, 0.82),),
    pitch=((92, 102), (140, 155), (220, 245)),
    tract=((0.88, 0.93), (1.1, 1.15)),
    breath=((0.3, 0.55), (1.4, 1.8)),
    pace=((0.82, 0.88), (1.12, 1.2)),
)
TALK_STYLES: dict[Split, TalkStyle] = {"train": SEEN, "val": SEEN, "test": UNSEEN}


def sample_person(rng: Generator, split: Split) -> Person:
    """Somebody with the looks and the voice of ``split``, in one of its places."""
    style, scenery = TALK_STYLES[split], STYLES[split]
    place: Place = "indoor" if rng.random() < 0.5 else "outdoor"
    return Person(
        split=split,
        place=place,
        backdrop=str(rng.choice(scenery.indoor if place == "indoor" else scenery.outdoor)),
        tint=(draw(rng, scenery.tint), draw(rng, scenery.tint), draw(rng, scenery.tint)),
        hiss=draw(rng, scenery.hiss),
        face=Face(
            skin=(draw(rng, style.hue), float(rng.uniform(0.3, 0.55)), draw(rng, style.value)),
            shirt=(float(rng.uniform(0, 360)), float(rng.uniform(0.3, 0.7)), float(rng.uniform(0.4, 0.8))),
            hair=style.hair[rng.integers(len(style.hair))],
            hair_value=draw(rng, style.hair_value),
            size=draw(rng, style.size),
            shape=draw(rng, style.shape),
            strength=draw(rng, style.strength),
            shift=(int(rng.integers(-14, 15)), int(rng.integers(-3, 4))),
        ),
        voice=Voice(
            pitch=draw(rng, style.pitch),
            tract=draw(rng, style.tract),
            breath=draw(rng, style.breath),
            pace=draw(rng, style.pace),
        ),
    )


def sample_tone(rng: Generator, contour: Contour) -> Tone:
    """A tone of this contour: wide or narrow, loud or soft."""
    return Tone(contour, wide=bool(rng.random() < 0.5), loud=bool(rng.random() < 0.5))


def sample_talk(
    rng: Generator,
    person: Person,
    *,
    line: str,
    tone: Tone,
    expression: Expression,
    others: Sequence[Expression] = EXPRESSIONS,
) -> Talk:
    """``person`` says ``line`` with ``expression``; before and after, any of ``others`` is shown.

    Raises:
        ValueError: the line is too long to be said in :data:`SECONDS`.
    """
    times = word_times(line, person.voice.pace)
    length = times[-1][1] + times[-1][2]
    latest = SECONDS - LEAD - length
    if latest < LEAD:
        raise ValueError(f"{line!r} takes {length:.2f} s, a clip has {SECONDS - 2 * LEAD} s for it: a shorter line")
    begin = float(rng.uniform(LEAD, min(LATEST, latest)))
    words = tuple(Word(text, begin + onset, duration) for text, onset, duration in times)
    end = begin + length
    before, after = (others[i] for i in rng.integers(len(others), size=2))
    looks = [Look(0.0, before), Look(begin - 0.1, expression), Look(end + 0.1, after)]
    gaps = [(0.0, begin - 0.15), (end + 0.15, SECONDS)]
    chews = tuple(Chew(start, stop - start) for start, stop in gaps if stop > start + 0.25 and rng.random() < 0.5)
    return Talk(person, int(rng.integers(2**31)), SECONDS, line, words, tone, tuple(looks), chews)
