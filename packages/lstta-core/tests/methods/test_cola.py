from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.interfaces import Encoder, EncoderState, Modality
from lstta_core.lockstep import TrimodalModel
from lstta_core.masks import to_stream
from lstta_core.methods.cola import CoLA, CoLALinear
from lstta_core.testing.inputs import synthetic_inputs
from lstta_core.testing.toy_encoders import toy_encoders

VISUAL, AUDIO, LANGUAGE = Modality
Batch = dict[Modality, dict[str, Tensor]]


def shaken(**options: object) -> TrimodalModel:
    torch.manual_seed(3)
    model = TrimodalModel(toy_encoders())
    model.add_adapter("a", CoLA(r=3, alpha=5, reduction=2, **options))
    model.double()
    for parameter in model.trainable_parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return model


def given(model: TrimodalModel, text_segments: int = 1) -> Batch:
    """Three clips of five segments; the second has no sound."""
    batch = {
        m: synthetic_inputs(e.spec, batch=3, segments=5, text_segments=text_segments)
        for m, e in model.by_modality().items()
    }
    batch[AUDIO]["present"][1] = False
    return batch


def norm(x: Tensor, eps: float = 1e-5) -> Tensor:
    return (x - x.mean()) / ((x - x.mean()).square().mean() + eps).sqrt()


def segments_of(state: EncoderState, clip: int, row: int) -> Iterator[tuple[int, Tensor, bool]]:
    place = clip * state.layout.rows_per_clip + row
    for token in range(state.tokens.shape[1]):
        segment = int(state.layout.segment[place, token])
        if segment >= 0:
            yield segment, state.tokens[place, token], bool(state.mask[place, token])


def mean_of(state: EncoderState, clip: int, segment: int) -> Tensor | None:
    rows = range(state.layout.rows_per_clip)
    tokens = [x for row in rows for s, x, there in segments_of(state, clip, row) if s == segment and there]
    return torch.stack(tokens).mean(0) if tokens else None


def contexts(
    listener: EncoderState, others: Mapping[Modality, EncoderState], present: Mapping[Modality, Tensor]
) -> list[dict[Modality, Tensor | None]]:
    """For each row of the listener, what it hears of each other stream: loops over rows, segments and tokens."""
    rows = []
    for place in range(len(listener.tokens)):
        clip, row = divmod(place, listener.layout.rows_per_clip)
        own = {segment for segment, _, _ in segments_of(listener, clip, row)}
        heard: dict[Modality, Tensor | None] = {}
        for m, other in others.items():
            same = other.layout.segments == listener.layout.segments
            wanted = sorted(own) if same else range(other.layout.segments)
            means = [mean for s in wanted if present[m][clip] and (mean := mean_of(other, clip, s)) is not None]
            heard[m] = torch.stack(means).mean(0) if means else None
        rows.append(heard)
    return rows


def naive_linear(layer: CoLALinear, x: Tensor, rows: list[dict[Modality, Tensor | None]]) -> Tensor:
    out = []
    for tokens, heard in zip(x, rows, strict=True):
        of_row = []
        for token in tokens:
            base = layer.base_layer
            y = base.weight @ token + base.bias + 5 / 3 * layer.own.up.weight @ layer.own.down.weight @ token
            for m, other in layer.others.items():
                c = heard[Modality(m)]
                if c is None:
                    continue
                first, _, between, last = other.phi
                hidden = norm(F.gelu(first.weight @ norm(c) + first.bias)) * between.weight + between.bias
                phi = norm(last.weight @ hidden + last.bias).view(3, 3) * other.norm.weight + other.norm.bias
                y = y + other.scale * other.up.weight @ phi @ other.down.weight @ token
            of_row.append(y)
        out.append(torch.stack(of_row))
    return torch.stack(out)


def naive(model: TrimodalModel, inputs: Batch, monkeypatch: pytest.MonkeyPatch) -> dict[Modality, Tensor]:
    """The lockstep by hand, with the linear layers as loops."""
    now: list[list[dict[Modality, Tensor | None]]] = []
    monkeypatch.setattr(CoLALinear, "forward", lambda layer, x: naive_linear(layer, x, now[-1]))
    encoders = model.by_modality()
    present = {m: inputs[m]["present"] for m in encoders}
    states = {m: encoder.embed(inputs[m]) for m, encoder in encoders.items()}
    for stage in range(1, model.stages + 1):
        after = {}
        for m, state in states.items():
            now.append(contexts(state, {o: s for o, s in states.items() if o != m}, present))
            for block in range(model.crossed[m][stage - 1], model.crossed[m][stage]):
                state = encoders[m].run_block(block, state)
            after[m] = state
        states = after
    return {m: to_stream(s, encoders[m].finish(s), present[m]).tokens for m, s in states.items()}


@pytest.mark.parametrize("text_segments", [1, 5])
def test_values_and_gradients_equal_a_loop(text_segments: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = shaken()
    inputs = given(model, text_segments)
    streams = model(inputs).streams
    fast = {m: stream.tokens for m, stream in streams.items()}
    parameters = model.trainable_parameters()
    loss = sum((fast[m][s.mask].sin().sum() for m, s in streams.items()), torch.zeros(()))
    gradients = torch.autograd.grad(loss, parameters)
    slow = naive(model, inputs, monkeypatch)
    expected = torch.autograd.grad(
        sum((slow[m][s.mask].sin().sum() for m, s in streams.items()), torch.zeros(())), parameters
    )
    for m, stream in streams.items():
        torch.testing.assert_close(fast[m][stream.mask], slow[m][stream.mask], rtol=1e-9, atol=1e-9)
    for name, gradient, other in zip(model.trainable_names(), gradients, expected, strict=True):
        assert gradient.any(), name
        torch.testing.assert_close(gradient, other, rtol=1e-7, atol=1e-8, msg=name)


def test_layers_before_the_first_stage_hear_nothing() -> None:
    layers = {name: m for name, m in shaken().encoders.named_modules() if isinstance(m, CoLALinear)}
    assert {name.split(".")[0] + name.split(".")[2] for name, layer in layers.items() if not layer.others} == {
        *("visual0", "audio0", "audio1", "language0"),
    }
    assert {m: layer.others[m].phi[0].in_features for layer in layers.values() for m in layer.others} == {
        **{"visual": 12, "audio": 10, "language": 6},
    }


def test_behind_a_frozen_prefix_states_can_be_brought_along() -> None:
    torch.manual_seed(0)
    model = TrimodalModel(deep(), stages=3, adapted=2)
    model.add_adapter("a", CoLA(r=2, reduction=2, target=r"blocks\.2\..*query"))
    for parameter in model.trainable_parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    inputs = {m: synthetic_inputs(e.spec, batch=2, segments=3) for m, e in model.by_modality().items()}
    assert model.prefix_is_frozen
    with torch.no_grad():
        states = model.prefix(inputs)
        whole = model(inputs).streams
        brought = model({m: {"present": inputs[m]["present"], "state": states[m]} for m in inputs}).streams
    assert not any(name.startswith("context") for state in states.values() for name in state.extras)
    for m, stream in whole.items():
        assert torch.equal(stream.tokens, brought[m].tokens)


def deep() -> dict[Modality, Encoder]:
    """Two towers of three blocks."""
    encoders = toy_encoders()
    audio, other = encoders[AUDIO], toy_encoders()[AUDIO]
    other.modality = VISUAL  # another clip of sound in the place of pictures
    return {VISUAL: other, AUDIO: audio}


def test_one_encoder_alone_has_the_first_update() -> None:
    model = TrimodalModel({LANGUAGE: toy_encoders()[LANGUAGE]})
    model.add_adapter("a", CoLA(r=3))
    assert all(".own." in name for name in model.trainable_names())


def test_nothing_is_kept_behind_a_step() -> None:
    model = shaken()
    sum(s.tokens.sum() for s in model(given(model)).streams.values()).backward()
    layers = [m for m in model.encoders.modules() if isinstance(m, CoLALinear)]
    assert layers
    assert not any(layer.heard.rows for layer in layers)
    copy.deepcopy(model)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="r: 2 or more is wanted, got 1"):
        CoLA(r=1)
    with pytest.raises(ValueError, match=r"cola: no linear layer of the visual encoder has a name that matches"):
        shaken(target="nothing")
    with pytest.raises(ValueError, match="every layer of target stands before the first stage"):
        shaken(target=r"blocks\.0\..*query")
    with pytest.raises(
        ValueError, match=r"every layer of target stands before the first stage, .* raise model\.stages"
    ):
        TrimodalModel(toy_encoders(), stages=1).add_adapter("a", CoLA())


def test_bfloat16_encoders_keep_float32_updates() -> None:
    model = TrimodalModel(toy_encoders(), frozen_dtype=torch.bfloat16)
    model.add_adapter("a", CoLA(r=3, reduction=2))
    assert {parameter.dtype for parameter in model.trainable_parameters()} == {torch.float32}
    sum(stream.tokens.float().square().sum() for stream in model(given(model)).streams.values()).backward()
    assert any(parameter.grad is not None and parameter.grad.any() for parameter in model.trainable_parameters())


def test_encoders_in_8_bits_are_adapted() -> None:
    model = TrimodalModel(toy_encoders(), frozen_dtype="int8")
    model.add_adapter("a", CoLA(r=3, reduction=2))
    layer = next(m for m in model.encoders.modules() if isinstance(m, CoLALinear))
    assert isinstance(layer.base_layer, nn.Linear)
    assert layer.weight.shape == (layer.base_layer.out_features, layer.base_layer.in_features)
    assert model(given(model)).streams[VISUAL].tokens.isfinite().all()
