from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from lstta_world import talk_truth
from lstta_world.casting import LEAD, TALK_STYLES, sample_person, sample_talk
from lstta_world.splits import Split, scene_rng
from lstta_world.talk import EXPRESSIONS, SECONDS, Look, Talk, Tone

TONE = Tone("level", wide=False, loud=True)


def drawn(split: Split, count: int) -> list[Talk]:
    talks = []
    for index in range(count):
        rng = scene_rng(3, split, index)
        person = sample_person(rng, split)
        talks.append(sample_talk(rng, person, line="Well, I liked the story.", tone=TONE, expression="smile"))
    return talks


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_line_is_inside_the_clip_and_its_face_covers_it(split: Split) -> None:
    for talk in drawn(split, 101):
        assert [word.text for word in talk.words] == ["Well", "I", "liked", "the", "story"]
        start, end = talk_truth.spoken(talk)
        assert LEAD <= start < end <= SECONDS - LEAD + 1e-9
        assert all(a.onset + a.duration <= b.onset for a, b in zip(talk.words, talk.words[1:], strict=False))
        assert {talk_truth.expression_at(talk, t) for t in np.linspace(start, end - 1e-6, 29)} == {"smile"}
        for chew in talk.chews:
            assert chew.onset + chew.duration < start or chew.onset > end
            assert 0 <= chew.onset < chew.onset + chew.duration <= SECONDS


def test_what_is_shown_around_the_line_tells_nothing() -> None:
    talks = drawn("train", 400)
    for k in (0, 2):
        counts = [sum(talk.looks[k].expression == expression for talk in talks) for expression in EXPRESSIONS]
        assert min(counts) > 70  # 100 each, give or take 9
    assert 0.3 < np.mean([bool(talk.chews) and talk.chews[0].onset == 0 for talk in talks]) < 0.7


def test_the_test_split_has_looks_and_voices_that_train_lacks() -> None:
    seen, unseen = TALK_STYLES["train"], TALK_STYLES["test"]
    assert TALK_STYLES["val"] == seen
    assert not set(seen.hair) & set(unseen.hair)
    for field in dataclasses.fields(seen):
        if field.name == "hair":
            continue
        for low, high in getattr(seen, field.name):
            assert all(b < low or a > high for a, b in getattr(unseen, field.name)), field.name
    pitches = {talk.person.voice.pitch for talk in drawn("test", 31)}
    assert not any(low <= pitch <= high for pitch in pitches for low, high in seen.pitch)


def test_a_line_that_is_too_long_is_refused() -> None:
    rng = np.random.default_rng(0)
    line = "I really would never have thought that anybody else would ever enjoy any of it"
    with pytest.raises(ValueError, match=r"'I really .* takes \d\.\d\d s, a clip has 3\.2 s for it: a shorter line"):
        sample_talk(rng, sample_person(rng, "train"), line=line, tone=TONE, expression="smile")


def test_the_truth_of_a_clip_made_by_hand(talk: Talk) -> None:
    assert talk_truth.spoken(talk) == (1.0, pytest.approx(2.2))
    assert talk_truth.expression(talk) == "smile"
    at = {t: talk_truth.expression_at(talk, t) for t in (0.0, 0.89, 0.9, 2.29, 2.3, 3.9)}
    assert list(at.values()) == ["frown", "frown", "smile", "smile", "wide", "wide"]
    moving = {t: talk_truth.mouth_moves(talk, t) for t in (0.99, 1.0, 2.19, 2.21, 2.59, 2.6, 3.39, 3.41)}
    assert list(moving.values()) == [False, True, True, False, False, True, True, False]
    assert talk_truth.speaks(talk, 0.0, 1.11)
    assert not talk_truth.speaks(talk, 0.0, 1.09)
    assert talk_truth.speaks(talk, 2.0, 3.0, least=0.19)
    assert not talk_truth.speaks(talk, 2.0, 3.0, least=0.21)


def test_the_expression_is_the_one_that_covers_most_of_the_line(talk: Talk) -> None:
    for change, expected in ((1.5, "wide"), (1.7, "frown")):
        late = dataclasses.replace(talk, looks=(Look(0.0, "frown"), Look(change, "wide")))
        assert talk_truth.expression(late) == expected
    assert math.isclose(talk_truth.spoken(talk)[1], 2.2)
