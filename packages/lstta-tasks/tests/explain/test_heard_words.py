"""An answer word by word: the rows of the page, and the same in JSON."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from lstta_core.interfaces import Modality
from lstta_tasks.answers.description import Answer, Word
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.explain.as_json import _answer
from lstta_tasks.explain.explanation import Explanation
from lstta_tasks.explain.heard_words import word_rows

V, A = Modality.VISUAL, Modality.AUDIO


def said(*words: Word) -> Explanation:
    answer = Answer("".join(word.text for word in words) or "(nothing)", words=words)
    return Explanation(ClipSource("a", Path("a.mp4")), None, (), answer, 6.0, {}, {})


def word(text: str, sight: list[float], sound: list[float]) -> Word:
    return Word(text, {V: np.array(sight), A: np.array(sound)})


def shades(track: str) -> list[float]:
    return [float(value) for value in re.findall(r"opacity: ([\d.]+)", track)]


def test_each_word_has_a_row_and_the_darkest_is_the_most_of_the_answer() -> None:
    rows = word_rows(said(word("a", [0.1, 0.1, 0.0], [0.4, 0.2, 0.2]), word(" <drum>", [0, 0, 0.2], [0, 0, 0.8])))
    assert [label for label, _ in rows] == ["<b>in all</b>", "<b>a</b>", "<b>&lt;drum&gt;</b>"]
    whole, one, two = (shades(track) for _, track in rows)
    assert two == [0, 0, 0, 0, 0.25, 1]  # segment by segment, sight before sound
    assert one == [0.12, 0.5, 0.12, 0.25, 0, 0.25]
    assert whole == [0.06, 0.25, 0.06, 0.12, 0.12, 0.62]
    assert 'title="&lt;drum&gt;: 4.0 to 6.0 s, sight 20%, sound 80%"' in rows[2][1]


def test_where_nothing_is_told_or_heard() -> None:
    assert word_rows(said()) == []
    (_, (_, track)) = word_rows(said(word("a", [0.0, 0.0], [0.0, 0.0])))
    assert set(shades(track)) == {0.0}


def test_in_json() -> None:
    told = _answer(said(word("a", [0.25, 0.25], [0.5, 0.0])))
    assert told["words"] == [{"text": "a", "listened": {"visual": [0.25, 0.25], "audio": [0.5, 0.0]}}]
    assert told["edges"] == [0, 3, 6]
    assert "words" not in _answer(said())
