"""Means before the prompt: against one long sequence written out, and what cannot be."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lstta_core.budget import count_parameters
from lstta_core.interfaces import TIMED, Modality, Streams
from lstta_core.lockstep import TrimodalModel
from lstta_core.methods.means import Means, Of
from lstta_core.speaking import attendable, speaker
from lstta_core.testing.inputs import absent, synthetic_inputs
from lstta_core.testing.speaker_checks import with_answers
from lstta_core.testing.toy_encoders import ToyAudio, ToyVisual, toy_encoders
from lstta_core.testing.toy_speaker import END, WIDTH, ToySpeaker, toy_encoders_that_speak

L = Modality.LANGUAGE
Batch = dict[Modality, dict[str, Tensor]]


def made(of: Of = "segment", **options: int) -> tuple[TrimodalModel, Batch]:
    """A model whose preface says something, and a batch with answers; its second clip has no sound."""
    torch.manual_seed(0)
    model = TrimodalModel(toy_encoders_that_speak(), **options)
    model.add_adapter("some", Means(of=of))
    for parameter in model.trainable_parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    inputs = with_answers({m: synthetic_inputs(encoder.spec) for m, encoder in model.by_modality().items()})
    inputs[Modality.AUDIO]["present"][1] = False
    return model.double(), inputs


def naive_preface(model: TrimodalModel, streams: Streams, of: Of) -> Tensor:
    """(B, P, D), clip by clip and segment by segment."""
    preface = model.preface
    assert preface is not None
    state = dict(preface.named_parameters()) | dict(preface.named_buffers())
    rows = []
    for clip in range(3):
        tokens = []
        for m in TIMED:
            x, seen = streams[m].tokens[clip], streams[m].mask[clip]
            parts = list(zip(x, seen, strict=True)) if of == "segment" else [(x.flatten(0, 1), seen.flatten())]
            for part, there in parts:
                normed = [
                    (F.layer_norm(token, token.shape) - state[f"standard.{m}.mean"])
                    / (state[f"standard.{m}.variance"] + 1e-5).sqrt()
                    for token in part[there]
                ]
                mean = torch.stack(normed).mean(0) if normed else torch.zeros_like(part[0])
                tokens.append(state[f"map.{m}.weight"] @ mean + state[f"map.{m}.bias"])
        rows.append(torch.stack(tokens))
    return torch.stack(rows)


def in_one_sequence(model: TrimodalModel, preface: Tensor, inputs: Batch) -> Tensor:
    """Finished tokens of preface and text, run as one sequence through the toy speaker's own layers."""
    toy = speaker(model)
    assert isinstance(toy, ToySpeaker)
    count = preface.shape[1]
    ids = torch.cat([torch.full(preface.shape[:2], END), inputs[L]["ids"][:, 0]], 1)
    mask = torch.cat([torch.ones(preface.shape[:2], dtype=torch.bool), inputs[L]["mask"][:, 0]], 1)
    tokens = toy.words(ids) + toy.place(F.relu(mask.long().cumsum(1) - 1))
    tokens = torch.cat([tokens[:, :count] + preface, tokens[:, count:]], 1)
    for layer in toy.layers:
        qkv = layer["qkv"](F.layer_norm(tokens, (WIDTH,))).unflatten(-1, (3, 2, -1))  # type: ignore[index, operator]
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        heard = F.scaled_dot_product_attention(q, k, v, attn_mask=attendable(mask))
        tokens = tokens + heard.transpose(1, 2).flatten(2)
    return toy.norm(tokens)[:, count:]


@pytest.mark.parametrize("of", ["segment", "clip"])
def test_values_and_gradients_equal_one_sequence(of: Of) -> None:
    model, inputs = made(of)
    fast = model(inputs).streams
    preface = naive_preface(model, fast, of)
    assert preface.shape == (3, 10 if of == "segment" else 2, WIDTH)
    naive = in_one_sequence(model, preface, inputs)
    there = inputs[L]["mask"][:, 0]
    torch.testing.assert_close(fast[L].tokens[:, 0][there], naive[there], rtol=1e-9, atol=1e-9)
    parameters = model.trainable_parameters()
    one = torch.autograd.grad(fast[L].tokens[:, 0][there].sin().sum(), parameters)
    state = dict(model.named_parameters())
    two = torch.autograd.grad(naive[there].sin().sum(), [state[name] for name in model.trainable_names()])
    for gradient, reference in zip(one, two, strict=True):
        assert reference.any()
        torch.testing.assert_close(gradient, reference, rtol=1e-8, atol=1e-8)


def test_statistics_are_measured_in_training_and_sight_and_sound_hear_nothing() -> None:
    model, inputs = made()
    with model.disabled():
        alone = model(inputs).streams
    one = model.train()(inputs).streams
    assert int(model.get_buffer("adapters.some.preface.standard.audio.batches")) == 1
    for m in TIMED:
        assert torch.equal(one[m].tokens, alone[m].tokens)
    assert not torch.equal(one[L].tokens, alone[L].tokens)


@pytest.mark.parametrize("options", [{"adapted": 1}, {"adapted": 0}, {"stages": 1}])
def test_states_of_sight_and_sound_may_be_brought_along(options: dict[str, int]) -> None:
    model, inputs = made(**options)
    states = model.eval().prefix(inputs, TIMED)
    given = {m: {"state": states[m], "present": inputs[m]["present"]} for m in TIMED}
    for m, stream in model({**inputs, **given}).streams.items():
        assert torch.equal(stream.tokens, model(inputs).streams[m].tokens)


def test_where_nothing_is_seen_or_heard_the_text_still_speaks() -> None:
    model, inputs = made()
    output = model({m: {**inputs[m], "present": torch.zeros(3, dtype=torch.bool)} for m in TIMED} | {L: inputs[L]})
    assert output.streams[L].tokens.isfinite().all()
    preface = model.preface
    assert preface is not None
    some = {m: stream for m, stream in output.streams.items() if m in TIMED}
    nothing = preface({m: absent(stream, [0, 1, 2]) for m, stream in some.items()})
    biases = [model.get_parameter(f"adapters.some.preface.map.{m}.bias") for m in TIMED]
    assert torch.equal(nothing[0], torch.stack([bias for bias in biases for _ in range(5)]))


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match=r"of is 'segment' or 'clip', got 'token'"):
        Means(of="token")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="must be one that speaks, such as tiny-speaker"):
        TrimodalModel(toy_encoders()).add_adapter("some", Means())
    with pytest.raises(ValueError, match="a visual or an audio encoder is wanted"):
        TrimodalModel({L: ToySpeaker()}).add_adapter("some", Means())


def test_number_of_parameters_and_one_modality() -> None:
    model = TrimodalModel(toy_encoders_that_speak())
    count = (ToyVisual.widths[-1] + 1 + ToyAudio.widths[-1] + 1) * WIDTH
    assert count_parameters(Means(), model) == count
    deaf = TrimodalModel({Modality.VISUAL: ToyVisual(), L: ToySpeaker()})
    deaf.add_adapter("some", Means())
    assert sum(parameter.numel() for parameter in deaf.trainable_parameters()) == (ToyVisual.widths[-1] + 1) * WIDTH
