"""What each row is told of the other streams; the numbers are compared with loops in methods/test_cola.py."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lstta_core.context import hearing, told
from lstta_core.interfaces import Modality
from lstta_core.testing.inputs import synthetic_inputs
from lstta_core.testing.speaker_checks import with_answers
from lstta_core.testing.toy_encoders import toy_encoders
from lstta_core.testing.toy_speaker import toy_encoders_that_speak

VISUAL, AUDIO, LANGUAGE = Modality
Batch = dict[Modality, dict[str, Tensor]]


def heard(inputs: Batch, by: Modality, of: Modality, *, speak: bool = False) -> Tensor:
    torch.manual_seed(0)
    encoders = toy_encoders_that_speak() if speak else toy_encoders()
    with torch.no_grad():
        states = {m: encoder.embed(inputs[m]) for m, encoder in encoders.items()}
        return told(3, states, {m: inputs[m]["present"] for m in inputs})[by].extras[f"context.3.{of}"]


def given(**options: int) -> Batch:
    return {m: synthetic_inputs(e.spec, batch=2, segments=5, **options) for m, e in toy_encoders().items()}


def changed_rows(one: Tensor, two: Tensor) -> list[int]:
    return (one != two).any(-1).nonzero().flatten().tolist()


def test_a_row_hears_its_segment_and_a_text_of_the_clip_hears_all() -> None:
    inputs, other = given(), given()
    other[VISUAL]["frames"][1, 2] = 255 - other[VISUAL]["frames"][1, 2]
    assert changed_rows(heard(inputs, LANGUAGE, VISUAL), heard(other, LANGUAGE, VISUAL)) == [1]
    assert changed_rows(heard(inputs, AUDIO, VISUAL), heard(other, AUDIO, VISUAL)) == [1]  # a row a clip
    inputs, other = given(text_segments=5), given(text_segments=5)
    other[VISUAL]["frames"][1, 2] = 255 - other[VISUAL]["frames"][1, 2]
    assert changed_rows(heard(inputs, LANGUAGE, VISUAL), heard(other, LANGUAGE, VISUAL)) == [5 + 2]


def test_what_is_not_there_says_nothing() -> None:
    inputs = given()
    inputs[AUDIO]["present"][1] = False
    rows = heard(inputs, VISUAL, AUDIO).unflatten(0, (2, -1))
    assert not rows[1].any()
    assert rows[0].any()


def test_no_token_of_an_answer_is_heard() -> None:
    encoders = toy_encoders_that_speak()
    inputs = with_answers({m: synthetic_inputs(e.spec, batch=2, segments=5) for m, e in encoders.items()})
    language = inputs[LANGUAGE]
    other = {**inputs, LANGUAGE: {**language, "ids": language["ids"].where(~language["answer"], 7)}}
    assert not torch.equal(language["ids"], other[LANGUAGE]["ids"])
    assert torch.equal(heard(inputs, VISUAL, LANGUAGE, speak=True), heard(other, VISUAL, LANGUAGE, speak=True))


def test_it_is_taken_back_also_after_an_error() -> None:
    got: list[int] = []
    state = toy_encoders()[VISUAL].embed(given()[VISUAL])
    with pytest.raises(KeyError), hearing(lambda rows: got.append(len(rows)), 2, state):
        raise KeyError
    assert got == [0, 0]
