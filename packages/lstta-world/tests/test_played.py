"""Moments that play: what is asked has the answer given, and one sense alone, or the question alone, cannot tell it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable
from functools import cache

import numpy as np
import pytest

from lstta_world import spoken_words
from lstta_world.moment_clips import SECONDS, THINGS, Moments, draw_played_moments
from lstta_world.moment_film import MARGIN, render_heard
from lstta_world.moment_questions import PLAYED_WORDINGS, MomentQuestion
from lstta_world.played import DATA_SET, plan
from lstta_world.splits import Split
from lstta_world.synth import SAMPLE_RATE

Asked = tuple[Moments, MomentQuestion]


@cache
def asked(split: Split, clips: int) -> list[Asked]:
    return [(clip, question) for clip, questions in plan(split, clips, 11) for question in questions]


def answered(clip: Moments, question: MomentQuestion) -> str:
    """The answer, found from the words of the question alone and what the clip shows and plays."""
    about_sight = question.text.startswith("What is seen")
    answers, named = (clip.shown, clip.said) if about_sight else (clip.said, clip.shown)
    if not question.values:
        return answers[0] if "first" in question.text else answers[-1]
    return answers[named.index(question.values[0]) + ("after" in question.text)]


def test_every_question_is_answered_by_its_clip() -> None:
    rows = asked("train", 60)
    assert {question.text for _, question in rows} == {text for texts in PLAYED_WORDINGS.values() for text in texts}
    assert all(answered(clip, question) == question.answer for clip, question in rows)


def test_answers_are_even() -> None:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for _, question in asked("test", 180):
        counts[question.type[1]][question.answer] += 1
    assert {kind: sum(found.values()) for kind, found in counts.items()} == {"Moment": 360, "After": 360, "Order": 180}
    for found in counts.values():
        assert set(found) == set(THINGS)
        assert max(found.values()) / sum(found.values()) < 0.16


@pytest.mark.parametrize("kind", ["Moment", "After"])
def test_one_sense_alone_and_words_alone_are_at_chance(kind: str) -> None:
    """A table learnt by heart: by what is named and when it is there, in the sense that names it."""

    def learnt(key: Callable[[Asked], Hashable]) -> float:
        seen: dict[Hashable, Counter[str]] = defaultdict(Counter)
        for row in asked("train", 500):
            if row[1].type[1] == kind:
                seen[key(row)][row[1].answer] += 1
        rows = [row for row in asked("test", 180) if row[1].type[1] == kind]
        return float(np.mean([seen[key(row)].most_common(1)[0][0] == row[1].answer for row in rows if seen[key(row)]]))

    def when(row: Asked) -> Hashable:
        clip, question = row
        about_sight = question.text.startswith("What is seen")
        return about_sight, (clip.said if about_sight else clip.shown).index(question.values[0])

    assert learnt(when) < 0.2
    assert learnt(lambda row: (row[1].text, row[1].values)) < 0.2


def test_each_second_has_its_melody_and_silence_at_its_ends() -> None:
    clip = draw_played_moments(np.random.default_rng(2))
    assert len(set(clip.shown)) == len(set(clip.said)) == SECONDS
    sound = render_heard(clip)
    assert (sound.dtype, sound.shape) == (np.int16, (SECONDS * SAMPLE_RATE,))
    assert np.array_equal(sound, render_heard(clip))
    seconds = sound.reshape(SECONDS, SAMPLE_RATE).astype(float)
    edge = int(MARGIN * SAMPLE_RATE)
    quiet = np.abs(np.concatenate([seconds[:, :edge], seconds[:, -edge:]], axis=1)).mean(1)
    assert (np.abs(seconds).mean(1) > 2 * quiet).all()


def test_no_synthesiser_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spoken_words, "find_spec", lambda name: None)
    made = DATA_SET.contents({"train": 2, "val": 1, "test": 3}, 5)
    assert made.samples == {"train": 10, "val": 5, "test": 15}
    render_heard(next(clip for clip in made.films.values() if isinstance(clip, Moments)))
