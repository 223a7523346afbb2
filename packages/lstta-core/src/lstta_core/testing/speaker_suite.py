"""What every encoder that speaks must keep, beside what every encoder must."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from typing import ClassVar
from unittest import SkipTest

import torch
from torch import Tensor

from lstta_core.interfaces import LanguageSpec, Modality
from lstta_core.lockstep import TrimodalModel
from lstta_core.methods.lstta.adapter import LSTTA
from lstta_core.speaking import SpeakingEncoder
from lstta_core.testing.encoder_suite import FINISHED, SAME, EncoderConformance
from lstta_core.testing.inputs import TEXTS, synthetic_inputs
from lstta_core.testing.speaker_checks import require_no_leak, require_same_spoken, with_answers
from lstta_core.testing.suite import require, require_close
from lstta_core.testing.toy_encoders import ToyAudio, ToyVisual

SPEAKS = "test_says_that_it_speaks"


class SpeakerConformance(EncoderConformance):
    """Checks of a language encoder that speaks. A subclass gives ``make_encoder``; the rest has defaults."""

    rests_on: ClassVar[Mapping[str, Sequence[str]]] = {
        **EncoderConformance.rests_on,
        "test_logits_equal_the_original_library": (SPEAKS, FINISHED),
        "test_an_answer_is_read_by_later_tokens_alone": (SPEAKS, SAME),
        "test_an_answer_may_come_token_by_token": (SPEAKS, SAME),
    }

    def reference_logits(self, inputs: Mapping[str, Tensor]) -> Tensor | None:
        """(R, M, V), the original library's; None where there is nothing to compare with."""
        return None

    @property
    def speaking(self) -> SpeakingEncoder:
        """The encoder under test."""
        encoder = self.encoder
        assert isinstance(encoder, SpeakingEncoder)
        return encoder

    def test_says_that_it_speaks(self) -> None:
        encoder = self.encoder
        require(isinstance(encoder, SpeakingEncoder), f"{type(encoder).__name__} is no SpeakingEncoder")
        spec = encoder.spec
        require(isinstance(spec, LanguageSpec) and spec.answer is not None, "spec.answer is missing")
        assert isinstance(spec, LanguageSpec)
        assert spec.answer is not None
        tokenize = pickle.loads(pickle.dumps(spec.answer))
        require(len(self.speaking.ends) > 0, "ends is empty: no answer would ever end")
        require(len(spec.tokenize("")) > 0, "a prompt without words must have a token, for the answer to begin after")
        for text in TEXTS:
            ids = spec.answer(text)
            require(tokenize(text) == ids, "the answer's tokenizer gives other ids after it was pickled")
            require(
                ids[-1] in self.speaking.ends, f"the answer {text!r} ends in {ids[-1]}, ends is {self.speaking.ends}"
            )
            ended = [number for number in ids[:-1] if number in self.speaking.ends]
            require(not ended, f"the answer {text!r} has an end within: {ids}")
            require(isinstance(self.speaking.text(ids), str), "text(ids) gives no text")

    def test_logits_equal_the_original_library(self) -> None:
        inputs = self.make_inputs()
        reference = self.reference_logits(inputs)
        if reference is None:
            raise SkipTest("no reference_logits is given")
        with torch.no_grad():
            logits = self.speaking.logits(self.encoder.finish(self._states(inputs)[-1]))
        require_close(logits, reference, self.tolerance, "logits and the original's")

    def test_an_answer_is_read_by_later_tokens_alone(self) -> None:
        model, inputs = self._adapted()
        require_no_leak(model, inputs)

    def test_an_answer_may_come_token_by_token(self) -> None:
        model, inputs = self._adapted()
        require_same_spoken(model, inputs, self.tolerance)

    def _adapted(self) -> tuple[TrimodalModel, dict[Modality, dict[str, Tensor]]]:
        """The encoder in a model whose adapters are no longer the identity, and a batch with answers."""
        model = TrimodalModel(
            {Modality.VISUAL: ToyVisual(), Modality.AUDIO: ToyAudio(), Modality.LANGUAGE: self.encoder},
            stages=min(2, self.encoder.depth),
        )
        model.add_adapter("checked", LSTTA(width=3, heads=1))
        random = torch.Generator().manual_seed(0)
        for parameter in model.trainable_parameters():
            parameter.data += 0.3 * torch.randn(parameter.shape, generator=random)
        inputs = {m: dict(synthetic_inputs(encoder.spec)) for m, encoder in model.by_modality().items()}
        inputs[Modality.LANGUAGE] = dict(self.make_inputs())
        return model.eval().requires_grad_(False), with_answers(inputs)
