"""The small language model that speaks."""

from __future__ import annotations

import torch

from lstta_backbone_tiny.speaker import END, START, speaker
from lstta_core import Encoder, Modality, TrimodalModel
from lstta_core.generation import Decoding, say
from lstta_core.testing import SpeakerConformance


class TestTinySpeaker(SpeakerConformance):
    def make_encoder(self) -> Encoder:
        return speaker()


def test_it_says_sentences_of_the_world() -> None:
    encoder = speaker()
    ids = torch.tensor([[encoder.spec.tokenize("what is seen and heard?")]])
    inputs = {Modality.LANGUAGE: {"ids": ids, "mask": ids > 0, "present": torch.tensor([True])}}
    greedy, drawn = (
        say(TrimodalModel({Modality.LANGUAGE: encoder}).eval(), inputs, Decoding(length=60, sample=sample))[0]
        for sample in (False, True)
    )
    for said in (greedy, drawn):
        assert ";" in said.text, "a caption has two halves"
        assert any(word in said.text for word in ("indoors", "outdoors"))
        assert len(said.ids) < 60, "it ends"
    assert drawn.score < greedy.score


def test_words_there_and_back() -> None:
    encoder = speaker()
    assert encoder.spec.answer is not None
    text = "first a flute is heard, then a drum; outdoors we see a piano"
    ids = encoder.spec.answer(text)
    assert ids[-1] == END
    assert encoder.text(ids) == text
    assert encoder.spec.tokenize("") == [START]
    assert len(encoder.spec.tokenize("a " * 99)) == encoder.spec.max_length
