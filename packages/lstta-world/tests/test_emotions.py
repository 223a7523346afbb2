from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from lstta_world.emotions import (
    BRIGHT,
    EMOTIONS,
    FLAT,
    HARSH,
    TABLE,
    TONES,
    emotion,
    expressed,
    news_of,
    sentiment,
)
from lstta_world.remarks import KINDS, REMARKS, News, news, sample_news, sample_remark
from lstta_world.talk import EXPRESSIONS, Expression, Look, Talk, Tone


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Guess what, I won the race.", "good"),
        ("Your brother did not win the race.", "bad"),
        ("They broke the ring.", "bad"),
        ("So, we did not break the ring.", "good"),
        ("I found a dead fly in the soup.", "foul"),
        ("Look, they left rotten fish on the bread.", "foul"),
        ("Oh really?", None),
    ],
)
def test_news(line: str, expected: News | None) -> None:
    assert news(line) == expected


def test_lines_tell_the_news_asked_for_and_remarks_tell_none() -> None:
    rng = np.random.default_rng(0)
    for kind in KINDS:
        lines = [sample_news(rng, kind) for _ in range(307)]
        assert {news(line) for line in lines} == {kind}
        if kind != "foul":
            assert 0.2 < np.mean([" not " in line for line in lines]) < 0.45
    assert {sample_remark(rng) for _ in range(307)} == set(REMARKS)
    assert {news(line) for line in REMARKS} == {None}


def said(talk: Talk, line: str, face: Expression, tone: Tone) -> Talk:
    return dataclasses.replace(talk, line=line, tone=tone, looks=(Look(0, "blank"), Look(0.9, face), Look(2.3, "wide")))


def test_emotions_of_clips_made_by_hand(talk: Talk) -> None:
    assert emotion(said(talk, "I won the race.", "smile", BRIGHT), []) == "joy"
    assert emotion(said(talk, "I won the race.", "smile", HARSH), []) == "anger"
    assert emotion(said(talk, "I lost the race.", "frown", FLAT), []) == "sadness"
    assert emotion(said(talk, "I found a rat in the soup.", "wide", FLAT), ["I won the race."]) == "fear"
    # The same remark, said and shown in the same way, after different news.
    remark = said(talk, "Oh really?", "blank", BRIGHT)
    assert emotion(remark, ["I won the race."]) == "joy"
    assert emotion(remark, ["I did not win the race."]) == "sadness"
    assert emotion(remark, ["I won the race.", "We saw worms in my bed.", "Tell me more."]) == "surprise"


def test_what_cannot_be_told_is_refused(talk: Talk) -> None:
    with pytest.raises(ValueError, match=r"no news in \['Is that so\?', 'Oh really\?'\]: a dialogue begins with some"):
        emotion(said(talk, "Oh really?", "blank", BRIGHT), ["Is that so?"])
    with pytest.raises(ValueError, match="is none of the tones of dialogues"):
        emotion(said(talk, "I won the race.", "blank", Tone("level", wide=True, loud=True)), [])
    with pytest.raises(ValueError, match=r"no news in \[\]"):
        news_of([])


def test_every_emotion_can_follow_any_news_and_the_table_is_read_both_ways() -> None:
    for kind in KINDS:
        ways = {felt: expressed(kind, felt) for felt in EMOTIONS}
        assert all(ways.values())
        assert sum(len(way) for way in ways.values()) == len(EXPRESSIONS) * len(TONES)
        for felt, (face, tone) in itertools.chain.from_iterable(
            itertools.product([felt], way) for felt, way in ways.items()
        ):
            assert TABLE[kind][face][TONES.index(tone)] == felt


def test_sentiments() -> None:
    assert sentiment("bad", "neutral") == "neutral"
    assert sentiment("foul", "joy") == "positive"
    assert [sentiment(kind, "surprise") for kind in KINDS] == ["positive", "negative", "negative"]
    assert {sentiment("good", felt) for felt in ("fear", "sadness", "disgust", "anger")} == {"negative"}
