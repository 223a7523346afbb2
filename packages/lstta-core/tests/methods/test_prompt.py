from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lstta_core.front import with_front, without_front
from lstta_core.interfaces import Encoder, EncoderState, Method, Modality, Stage
from lstta_core.lockstep import TrimodalModel
from lstta_core.methods.prompt import Prompt, PromptAdapter
from lstta_core.testing.encoder_states import check_layout
from lstta_core.testing.encoder_suite import EncoderConformance
from lstta_core.testing.inputs import synthetic_inputs
from lstta_core.testing.method_suite import MethodConformance
from lstta_core.testing.toy_encoders import ToyAudio, ToyBlock, ToyLanguage, ToyVisual, toy_encoders
from lstta_core.testing.toy_speaker import toy_encoders_that_speak

VISUAL, AUDIO, LANGUAGE = Modality
HEARD_AND_READ = ["audio", "language"]
Batch = dict[Modality, dict[str, Tensor]]


class TestPrompt(MethodConformance):
    skip_checks: ClassVar[dict[str, str]] = {
        "test_fresh_model_equals_the_frozen_one": "tokens read fresh prompts too; switched off, they are gone",
    }

    def make_method(self) -> Method:
        return Prompt(tokens=3, modalities=HEARD_AND_READ)

    def make_speaker(self) -> Encoder | None:
        return None


class TestToyAudio(EncoderConformance):
    def make_encoder(self) -> Encoder:
        return ToyAudio()


class TestToyLanguage(EncoderConformance):
    def make_encoder(self) -> Encoder:
        return ToyLanguage()


def prompted(**options: int) -> TrimodalModel:
    torch.manual_seed(2)
    model = TrimodalModel(toy_encoders(), **options)
    model.add_adapter("a", Prompt(tokens=3, modalities=HEARD_AND_READ))
    return model.double()


def given(model: TrimodalModel) -> Batch:
    return {m: synthetic_inputs(e.spec, batch=3, segments=5) for m, e in model.by_modality().items()}


def norm(x: Tensor, module: torch.nn.Module) -> Tensor:
    centred = x - x.mean()
    return centred / (centred.square().mean() + 1e-5).sqrt() * module.weight + module.bias


def loop(block: ToyBlock, tokens: list[Tensor], there: list[bool], bias: list[Tensor]) -> list[Tensor]:
    """A block of one row, token by token and head by head."""
    a = block.attention
    normed = [norm(x, block.norm1) for x in tokens]
    size = len(a.query.weight) // a.heads
    after = []
    for x, q in zip(tokens, normed, strict=True):
        heads = []
        for head in range(a.heads):
            part = slice(head * size, (head + 1) * size)
            query = a.query.weight[part] @ q + a.query.bias[part]
            seen = [i for i, yes in enumerate(there) if yes]
            scores = torch.stack([query @ (a.key.weight[part] @ normed[i]) / size**0.5 + bias[i] for i in seen])
            values = [a.value.weight[part] @ normed[i] + a.value.bias[part] for i in seen]
            heads.append(sum((s * v for s, v in zip(scores.softmax(0), values, strict=True)), torch.zeros(size)))
        x = x + a.out.weight @ torch.cat(heads) + a.out.bias
        first, _, last = block.mlp
        after.append(x + last.weight @ F.gelu(first.weight @ norm(x, block.norm2) + first.bias) + last.bias)
    return after


def test_values_and_gradients_equal_a_loop() -> None:
    model = prompted()
    inputs = given(model)
    front = model.adapter_at(1).tokens
    output = model(inputs)
    states = model.prefix(inputs)
    blocks = {
        AUDIO: model.encoders[AUDIO].blocks[model.crossed[AUDIO][1] :],
        LANGUAGE: model.encoders[LANGUAGE].blocks[1:],
    }
    fast, slow = [], []
    for m, later in blocks.items():
        state, rows = states[m], []
        for row in range(len(state.tokens)):
            tokens = [*front[m], *state.tokens[row]]
            there = [True] * 3 + state.mask[row].tolist()
            own = state.extras["bias"][row, 0] if "bias" in state.extras else torch.zeros(len(tokens) - 3)
            for block in later:
                tokens = loop(block, tokens, there, [*torch.zeros(3), *own])
            rows.append(torch.stack([norm(x, model.encoders[m].norm) for x in tokens[3:]]))
        naive = state.layout.to_segments(torch.stack(rows))
        mask = output.streams[m].mask
        fast.append(output.streams[m].tokens[mask].sin().sum())
        slow.append(naive[mask].sin().sum())
        torch.testing.assert_close(output.streams[m].tokens[mask], naive[mask], rtol=1e-9, atol=1e-9)
    parameters = model.trainable_parameters()
    for one, two in zip(
        torch.autograd.grad(sum(fast), parameters), torch.autograd.grad(sum(slow), parameters), strict=True
    ):
        assert one.any()
        torch.testing.assert_close(one, two, rtol=1e-8, atol=1e-8)


def test_the_prefix_has_none_and_may_be_brought_along() -> None:
    model = prompted()
    inputs = given(model)
    states = model.prefix(inputs)
    assert model.prefix_is_frozen
    with model.disabled():
        assert all(torch.equal(states[m].tokens, s.tokens) for m, s in model.prefix(inputs).items())
    whole = model(inputs).streams
    brought = model({m: {"present": inputs[m]["present"], "state": states[m]} for m in inputs}).streams
    for m, stream in whole.items():
        assert torch.equal(stream.tokens, brought[m].tokens)
        assert stream.tokens.shape == states[m].layout.to_segments(states[m].tokens).shape or m is VISUAL


def test_checkpointing_gives_the_same_gradients() -> None:
    gradients = []
    for checkpointing in (False, True):
        torch.manual_seed(1)
        model = TrimodalModel(toy_encoders(), checkpointing=checkpointing)
        model.add_adapter("a", Prompt(tokens=3, modalities=HEARD_AND_READ))
        loss = sum(s.tokens.sin().sum() for s in model(given(model)).streams.values())
        gradients.append(torch.autograd.grad(loss, model.trainable_parameters()))
    for one, two in zip(*gradients, strict=True):
        torch.testing.assert_close(one, two)


@pytest.mark.parametrize("make", [ToyVisual, ToyAudio, ToyLanguage], ids=lambda e: e.__name__)
@pytest.mark.parametrize("regular", [True, False])
def test_segments_are_the_same_behind_tokens_in_front(make: type[Encoder], regular: bool) -> None:
    class Takes(make):  # type: ignore[misc, valid-type]
        def more_tokens(self, extras: Mapping[str, Tensor], count: int) -> Mapping[str, Tensor]:
            return extras

    encoder = Takes()
    state: EncoderState = encoder.embed(synthetic_inputs(encoder.spec, batch=2, segments=5, ragged=not regular))
    bare = {encoder.modality: state}
    front = torch.randn(3, state.tokens.shape[-1])
    after = with_front(bare, {encoder.modality: front}, {encoder.modality: encoder})[encoder.modality]
    assert torch.equal(after.tokens[:, :3], front.expand(len(after.tokens), -1, -1))
    assert (after.layout.segment[:, :3] == -1).all()
    check_layout(after.layout, "embed")
    one, two = (s.layout.to_segments(s.tokens)[s.layout.mask(s.mask)] for s in (state, after))
    assert torch.equal(one, two)
    doubled = after.with_tokens(after.layout.to_rows(2 * after.layout.to_segments(after.tokens), after.tokens))
    back = without_front({encoder.modality: doubled}, bare)[encoder.modality]
    mask = state.layout.mask(state.mask)
    assert torch.equal(back.layout.to_segments(back.tokens)[mask], 2 * one)
    assert back.layout is state.layout


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="the blocks of the visual encoder ToyVisual fix the number of tokens"):
        TrimodalModel(toy_encoders()).add_adapter("a", Prompt())
    with pytest.raises(ValueError, match="the blocks of the language encoder ToySpeaker fix the number of tokens"):
        TrimodalModel(toy_encoders_that_speak()).add_adapter("a", Prompt(modalities=["language"]))
    with pytest.raises(ValueError, match=r"only stage 2 of 2 is adapted, .*raise model\.adapted"):
        prompted(adapted=1)
    with pytest.raises(ValueError, match=r"modalities: some of \['visual', 'audio', 'language'\] are wanted"):
        Prompt(modalities=["sight"])
    with pytest.raises(ValueError, match=r"names \['language'\], none of the model's \['audio'\]$"):
        TrimodalModel({AUDIO: ToyAudio()}).add_adapter("a", Prompt(modalities=["language"]))


def test_only_the_first_adapted_stage_has_some() -> None:
    stages = TrimodalModel(toy_encoders(), adapted=2).adapted_stages
    adapters = [Prompt(tokens=5).adapter(stage) for stage in stages]
    assert isinstance(adapters[0], PromptAdapter)
    assert adapters[1] is None
    assert sum(p.numel() for p in adapters[0].parameters()) == 5 * sum(stages[0].widths.values())
    assert Prompt().adapter(Stage(1, 2, {VISUAL: 7})) is None
