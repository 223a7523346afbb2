"""Answers in words: who reads whom, and what is kept between tokens."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

import lstta_core.masks
from lstta_core.interfaces import Encoder, EncoderState, Method, Modality
from lstta_core.lockstep import TrimodalModel
from lstta_core.methods.bottleneck import Bottleneck
from lstta_core.methods.cola import CoLA
from lstta_core.methods.dgsct import DGSCT
from lstta_core.methods.full import FullFineTuning
from lstta_core.methods.lavish import Lavish
from lstta_core.methods.layers import Layers
from lstta_core.methods.lstta.adapter import LSTTA
from lstta_core.methods.means import Means
from lstta_core.methods.moka import MokA
from lstta_core.speaking import attendable, begin, go_on, places
from lstta_core.testing.inputs import synthetic_inputs
from lstta_core.testing.speaker_checks import require_no_leak, require_same_spoken, with_answers
from lstta_core.testing.speaker_suite import SpeakerConformance
from lstta_core.testing.toy_encoders import toy_encoders
from lstta_core.testing.toy_speaker import ToySpeaker, toy_encoders_that_speak

L = Modality.LANGUAGE
METHODS = {
    "lstta": LSTTA(width=5),
    "lstta-long": LSTTA(width=5, short_term=False),
    "lstta-short": LSTTA(width=5, long_term=False),
    "bottleneck": Bottleneck(width=3),
    "lavish": Lavish(width=3, groups=1),
    "moka": MokA(r=3),
    "cola": CoLA(r=3, reduction=2),
    "dgsct": DGSCT(width=3, groups=1),
    "layers": Layers(),
    "full": FullFineTuning(),
    "means": Means(),
    "means-clip": Means(of="clip"),
}


class TestToySpeaker(SpeakerConformance):
    def make_encoder(self) -> Encoder:
        return ToySpeaker()


def adapted(method: Method, **options: int) -> tuple[TrimodalModel, dict[Modality, dict[str, Tensor]]]:
    """A model whose adapters do something, and a batch with answers."""
    torch.manual_seed(0)
    model = TrimodalModel(toy_encoders_that_speak(), **options)
    model.add_adapter("some", method)
    for parameter in model.trainable_parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    inputs = {m: synthetic_inputs(encoder.spec) for m, encoder in model.by_modality().items()}
    return model.eval().requires_grad_(False), with_answers(inputs)


@pytest.mark.parametrize("options", [{}, {"adapted": 1}, {"stages": 1}], ids=["all", "last", "one"])
@pytest.mark.parametrize("name", METHODS)
def test_an_answer_is_read_by_later_tokens_alone_and_may_come_later(name: str, options: dict[str, int]) -> None:
    if name == "layers" and "adapted" in options:
        pytest.skip("one layer of several is no mix")
    if name == "cola" and "stages" in options:
        pytest.skip("before the first stage there is nothing to hear")
    model, inputs = adapted(METHODS[name], **options)
    require_no_leak(model, inputs)
    require_same_spoken(model, inputs, 1e-5)


def test_without_the_mask_an_answer_leaks(monkeypatch: pytest.MonkeyPatch) -> None:
    right = lstta_core.masks.stream_masks

    def lost(state: EncoderState, present: Tensor) -> tuple[Tensor, Tensor | None]:
        mask, answer = right(state, present)
        return mask if answer is None else mask | answer, None

    monkeypatch.setattr(lstta_core.masks, "stream_masks", lost)
    model, inputs = adapted(METHODS["lstta"])
    with pytest.raises(AssertionError, match="token 0 of the answers changed visual tokens"):
        require_no_leak(model, inputs)


def test_in_bfloat16_an_answer_may_come_later() -> None:
    torch.manual_seed(0)
    model = TrimodalModel(toy_encoders_that_speak(), frozen_dtype=torch.bfloat16)
    model.add_adapter("some", LSTTA(width=5))
    inputs = with_answers({m: synthetic_inputs(encoder.spec) for m, encoder in model.by_modality().items()})
    require_same_spoken(model.eval(), inputs, 0.05)


def test_beams_of_a_clip_share_what_adapters_heard() -> None:
    model, inputs = adapted(METHODS["lstta"])
    logits, speech = begin(model, inputs)
    ids = torch.tensor([[3, 4], [5, 6], [7, 8], [9, 10], [11, 12], [13, 14]])
    both, _ = go_on(model, ids, speech.rows(torch.tensor([0, 0, 1, 1, 2, 2])))
    for beam in (0, 1):
        alone, _ = go_on(model, ids[beam::2], speech)
        torch.testing.assert_close(both[beam::2], alone)
    assert len(logits) == 3


def test_an_encoder_that_does_not_speak_is_named() -> None:
    model = TrimodalModel(toy_encoders())
    inputs = {m: synthetic_inputs(encoder.spec) for m, encoder in model.by_modality().items()}
    with pytest.raises(ValueError, match="the model has ToyLanguage"):
        begin(model, inputs)


def test_a_prompt_without_a_token_is_refused() -> None:
    model, inputs = adapted(METHODS["lstta"])
    empty = {**inputs[L], "mask": inputs[L]["mask"] & torch.tensor([True, False, True])[:, None, None]}
    with pytest.raises(ValueError, match="a prompt has no token"):
        begin(model, {**inputs, L: empty})


def test_subtitles_may_not_speak() -> None:
    model, _ = adapted(METHODS["lstta"])
    timed = {m: synthetic_inputs(e.spec, text_segments=5) for m, e in model.by_modality().items()}
    timed[L]["answer"] = torch.zeros_like(timed[L]["mask"])
    with pytest.raises(ValueError, match="a text that speaks belongs to the whole clip"):
        model(timed)


def test_importances_weigh_what_an_answer_hears() -> None:
    """Where no readout reads them; so that they learn."""
    torch.manual_seed(0)
    model = TrimodalModel(toy_encoders_that_speak())
    model.add_adapter("some", LSTTA(width=5))
    inputs: Mapping[Modality, dict[str, Tensor]] = with_answers(
        {m: synthetic_inputs(encoder.spec) for m, encoder in model.by_modality().items()}
    )
    optimizer = torch.optim.SGD(model.trainable_parameters(), lr=0.5)
    for _ in range(3):
        optimizer.zero_grad()
        text = model(inputs).streams[L]
        assert text.answer is not None
        torch.nn.functional.cross_entropy(
            text.tokens[text.answer], torch.randint(6, (int(text.answer.sum()),))
        ).backward()
        optimizer.step()
    without = [
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and (parameter.grad is None or not parameter.grad.any())
    ]
    # At the last stage nothing follows that would read sight and sound.
    assert without == [f"adapters.some.2.up.{m}.weight" for m in ("visual", "audio")]


def test_places_and_windows_by_hand() -> None:
    mask = torch.tensor([[True, True, False]])
    past = torch.tensor([[True, False]])
    assert places(mask, past).tolist() == [[1, 2, 2]]
    assert attendable(mask, past)[0, 0].int().tolist() == [[1, 0, 1, 0, 0], [1, 0, 1, 1, 0], [1, 0, 1, 1, 0]]
    assert attendable(mask, past, window=2)[0, 0].int().tolist() == [[1, 0, 1, 0, 0], [0, 0, 1, 1, 0], [0, 0, 1, 1, 0]]
    nothing = torch.zeros(1, 2, dtype=torch.bool)
    assert attendable(nothing)[0, 0].int().tolist() == [[1, 0], [1, 1]]
