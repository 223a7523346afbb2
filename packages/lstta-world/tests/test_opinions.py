from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from lstta_world.opinions import polarity, sample_line, score
from lstta_world.talk import Contour, Expression, Look, Talk, Tone


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("The story was wonderful.", 2),
        ("I mean, the cast was good last night.", 1),
        ("The plot was not wonderful.", -1),
        ("The plot was never good.", -1),
        ("I watched the sequel.", 0),
        ("I did not watch the sequel.", 0),
        ("I did not regret the show.", 1),
        ("I did not hate the show again.", 1),
        ("So the ending was dull.", -1),
        ("I despised the first half.", -2),
    ],
)
def test_polarity(line: str, expected: int) -> None:
    assert polarity(line) == expected


@pytest.mark.parametrize("line", ["I saw the film.", "The good film was bad.", ""])
def test_lines_without_one_opinion_are_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"has [02] words of opinion, a line has exactly one"):
        polarity(line)


def test_lines_have_the_polarity_asked_for_and_negation_hides_it_from_their_words() -> None:
    rng = np.random.default_rng(0)
    negated = 0
    for wanted in (-2, -1, 0, 1, 2):
        lines = [sample_line(rng, wanted) for _ in range(503)]
        assert {polarity(line) for line in lines} == {wanted}
        assert len(set(lines)) > 350
        negated += sum(" not " in line for line in lines) if abs(wanted) == 1 else 0
    assert 0.4 < negated / 1006 < 0.6


def said(talk: Talk, line: str, face: Expression, contour: Contour, *, wide: bool, loud: bool) -> float:
    tone, looks = Tone(contour, wide=wide, loud=loud), (Look(0, "frown"), Look(0.9, face), Look(2.3, "smile"))
    return score(dataclasses.replace(talk, line=line, tone=tone, looks=looks))


def test_scores_of_clips_made_by_hand(talk: Talk) -> None:
    praise, blame, nothing = "It was brilliant.", "It was awful.", "It was long."
    assert said(talk, nothing, "blank", "level", wide=True, loud=True) == 0
    assert said(talk, nothing, "smile", "level", wide=True, loud=True) == 1.2
    assert said(talk, nothing, "smile", "level", wide=True, loud=False) == 0.8
    assert said(talk, praise, "smile", "rising", wide=True, loud=True) == 3
    assert said(talk, praise, "blank", "rising", wide=False, loud=True) == 2.3
    assert said(talk, blame, "frown", "falling", wide=True, loud=True) == -3
    # Sarcasm: praise in a falling tone is worse than nothing in a falling tone.
    assert said(talk, praise, "blank", "falling", wide=True, loud=True) == -1.7
    assert said(talk, nothing, "blank", "falling", wide=True, loud=True) == -0.7
    # Blame in a rising tone is half meant.
    assert said(talk, blame, "blank", "level", wide=True, loud=True) == -2.0
    assert said(talk, blame, "blank", "rising", wide=False, loud=True) == -0.7


def test_scores_are_tenths_between_minus_three_and_three(talk: Talk) -> None:
    lines = ("It was brilliant.", "It was good.", "It was long.", "It was bad.", "It was awful.")
    faces: tuple[Expression, ...] = ("smile", "blank", "frown")
    contours: tuple[Contour, ...] = ("falling", "level", "rising")
    values = [
        said(talk, line, face, contour, wide=wide, loud=loud)
        for line, face, contour, wide, loud in itertools.product(lines, faces, contours, (False, True), (False, True))
    ]
    assert max(values) == 3
    assert min(values) == -3
    assert all(value == round(value, 1) and str(value) != "-0.0" for value in values)
    assert len(set(values)) > 40
