"""Moments that play, from the questions to the encoders of the demo."""

from __future__ import annotations

from lstta_backbone_tiny.encoders import language, split_words
from lstta_tasks.tasks.avqa import fill
from lstta_world.played import plan


def test_the_tiny_language_encoder_knows_every_word() -> None:
    known = language().spec.tokenize.vocabulary
    asked = {fill(question.text, question.values, "here") for _, rows in plan("train", 40, 0) for question in rows}
    assert {word for text in asked for word in split_words(text)} <= known.keys()
