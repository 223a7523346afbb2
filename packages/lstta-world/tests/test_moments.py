"""The moments: what is asked has the answer given, both senses are needed where it is said so, and answers are even."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from oracles import accuracy_of_table

from lstta_world import spoken_words
from lstta_world.moment_clips import SECONDS, THINGS, Moments, draw_moments
from lstta_world.moment_film import draw_picture, render_heard
from lstta_world.moment_questions import WORDINGS, MomentQuestion
from lstta_world.moments import DATA_SET, plan
from lstta_world.spans import covered
from lstta_world.splits import Split
from lstta_world.spoken_words import WORDS
from lstta_world.synth import SAMPLE_RATE

Asked = tuple[Moments, MomentQuestion]
CROSSING = ("Moment", "After", "Before")


@cache
def asked(split: Split, clips: int) -> list[Asked]:
    return [(clip, question) for clip, questions in plan(split, clips, 11) for question in questions]


def of_kind(rows: Iterable[Asked], kind: str) -> list[Asked]:
    return [(clip, question) for clip, question in rows if question.type[1] == kind]


def answered(clip: Moments, question: MomentQuestion) -> str:
    """The answer, found from the words of the question alone and what the clip shows and says."""
    text, places = question.text, []
    for value in question.values:
        places.append((clip.shown if value in THINGS else clip.said).index(value))
    if text.startswith(("Is the <Thing> shown while", "Can the", "Is the <Thing> in the picture as")):
        return "yes" if places[0] == places[1] else "no"
    if len(places) == 2:
        return question.values[int(places[1] < places[0])]
    wanted_seen = bool(re.match(r"What (is shown|can be seen|comes|was|does)|Which instrument", text))
    answers = clip.shown if wanted_seen else clip.said
    if not places:
        return answers[0] if re.search("first|begin", text) else answers[-1]
    step = 1 if "after" in text else -1 if "before" in text else 0
    return answers[places[0] + step]


def test_with_both_senses_every_question_is_answered() -> None:
    rows = asked("train", 60)
    assert {question.text for _, question in rows} == {text for texts in WORDINGS.values() for text in texts}
    for clip, question in rows:
        assert question.text.count("<") == len(question.values)
        assert answered(clip, question) == question.answer


def test_nothing_comes_twice_in_a_clip() -> None:
    for clip, _ in plan("val", 50, 3):
        assert len(set(clip.shown)) == len(set(clip.said)) == SECONDS == clip.duration
        assert set(clip.shown) <= set(THINGS)
        assert set(clip.said) <= set(WORDS)


def test_splits_are_drawn_apart() -> None:
    orders = [(clip.shown, clip.said) for split in ("train", "val", "test") for clip, _ in plan(split, 60, 0)]
    assert len(set(orders)) == 180


@pytest.mark.parametrize("split", ["train", "test"])
def test_answers_are_even(split: Split) -> None:
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for _, question in asked(split, 300):
        counts[question.type][question.answer] += 1
    assert {kind: sum(found.values()) for kind, found in counts.items()} == {
        ("Audio-Visual", "Moment"): 600,
        ("Audio-Visual", "After"): 600,
        ("Audio-Visual", "Before"): 600,
        ("Audio-Visual", "Both"): 300,
        ("Visual", "Order"): 150,
        ("Audio", "Order"): 150,
    }
    for kind in CROSSING:
        found = counts["Audio-Visual", kind]
        assert len(found) == len(THINGS) + len(WORDS)
        assert max(found.values()) - min(found.values()) <= 6
    assert counts["Audio-Visual", "Both"] == {"yes": 150, "no": 150}


def best_of(rules: dict[Hashable, Callable[[Asked], str]], kind: str) -> float:
    """Of rules that give an answer, the one that is best in train: its share of right answers in test."""

    def share(rule: Callable[[Asked], str], split: Split, clips: int) -> float:
        rows = of_kind(asked(split, clips), kind)
        return float(np.mean([rule(row) == row[1].answer for row in rows]))

    return share(max(rules.values(), key=lambda rule: share(rule, "train", 1500)), "test", 600)


def asks_for_sight(row: Asked) -> bool:
    return row[1].answer in THINGS


@pytest.mark.parametrize("kind", CROSSING)
def test_one_sense_alone_is_at_chance(kind: str) -> None:
    """Whoever knows all that the clip shows (or says), in order, and not when: one of the seconds is a guess."""
    guesses: dict[Hashable, Callable[[Asked], str]] = {
        second: lambda row, second=second: (row[0].shown if asks_for_sight(row) else row[0].said)[second]
        for second in range(SECONDS)
    }
    assert best_of(guesses, kind) < (0.16 if kind == "Moment" else 0.18)


@pytest.mark.parametrize("kind", CROSSING)
def test_the_other_sense_alone_and_words_alone_are_at_chance(kind: str) -> None:
    """A table learnt by heart, by when the one that is named is there, and by its name."""

    def learnt(key: Callable[[Asked], Hashable]) -> float:
        table: dict[Hashable, Counter[str]] = defaultdict(Counter)
        for row in of_kind(asked("train", 1500), kind):
            table[asks_for_sight(row), key(row)][row[1].answer] += 1
        rows = of_kind(asked("test", 600), kind)
        return float(np.mean([table[asks_for_sight(r), key(r)].most_common(1)[0][0] == r[1].answer for r in rows]))

    def when(row: Asked) -> Hashable:
        clip, question = row
        return (clip.said if asks_for_sight(row) else clip.shown).index(question.values[0])

    assert learnt(when) < 0.16
    assert learnt(lambda row: row[1].values) < 0.16


@pytest.mark.parametrize("sense", ["sight", "sound", "words"])
def test_both_is_a_coin_for_one_sense(sense: str) -> None:
    def key(clip: Moments, question: MomentQuestion) -> Hashable:
        thing, word = question.values
        known = {"sight": clip.shown.index(thing), "sound": clip.said.index(word), "words": ""}
        return question.values, known[sense]

    train, test = (
        [(key(clip, question), question.answer == "yes") for clip, question in of_kind(asked(split, clips), "Both")]
        for split, clips in (("train", 4000), ("test", 1500))
    )
    assert accuracy_of_table(train, test) < 0.55


def test_relevant_seconds_hold_what_is_named_and_what_is_the_answer() -> None:
    for clip, question in asked("val", 40):
        named = {*question.values, question.answer} - {"yes", "no"}
        for of, spans in ((clip.shown, question.relevant.visual), (clip.said, question.relevant.audio)):
            seconds = {second for second in range(SECONDS) if covered(spans, second, second + 1.0) == 1.0}
            assert seconds == {second for second in range(SECONDS) if of[second] in named}
            assert sum(end - start for start, end in spans) == len(seconds)
    crossing = [q for _, q in asked("val", 40) if q.type[0] == "Audio-Visual"]
    assert all(q.relevant.visual and q.relevant.audio for q in crossing)


def test_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spoken_words, "find_spec", lambda name: name)  # plans need no synthesiser
    made = DATA_SET.contents({"train": 2, "val": 0, "test": 1}, 3)
    rows = json.loads(made.annotations["json/avqa-test.json"])
    assert made.samples == {"train": 16, "val": 0, "test": 8}
    assert [row["question_id"] for row in rows] == [200000000 + number for number in range(8)]
    assert list(made.relevant["test"]) == [str(row["question_id"]) for row in rows]
    assert {sample.group for sample in made.relevant["train"].values()} >= {"Audio-Visual/Moment", "Audio-Visual/Both"}
    assert list(made.films) == ["videos/00000000.mp4", "videos/00000001.mp4", "videos/20000000.mp4"]


def test_pictures() -> None:
    clip = draw_moments(np.random.default_rng(1))
    frames = [draw_picture(picture) for picture in clip.pictures]
    assert {frame.shape for frame in frames} == {(144, 240, 3)}
    assert np.array_equal(frames[3], draw_picture(clip.pictures[3]))
    assert min(np.abs(a.astype(int) - b).mean() for a, b in pairwise(frames)) > 10


@pytest.mark.skipif(spoken_words.find_spec("espeakng_loader") is None, reason="needs lstta-world[speech]")
def test_each_second_has_its_word_and_silence_at_its_ends() -> None:
    clip = draw_moments(np.random.default_rng(2))
    sound = render_heard(clip)
    assert (sound.dtype, sound.shape) == (np.int16, (SECONDS * SAMPLE_RATE,))
    seconds = sound.reshape(SECONDS, SAMPLE_RATE).astype(float)
    edge = SAMPLE_RATE // 30
    quiet = np.abs(np.concatenate([seconds[:, :edge], seconds[:, -edge:]], axis=1)).mean(1)
    assert (np.abs(seconds).mean(1) > 4 * quiet).all()
