from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor

from lstta_core.interfaces import Modality, Stage, Stream, Streams
from lstta_core.methods.lavish import GroupedLinear, Lavish, LavishAdapter

VISUAL, AUDIO, LANGUAGE = Modality
MakeStreams = Callable[[], Streams]


def noisy(widths: dict[Modality, int]) -> LavishAdapter:
    torch.manual_seed(1)
    adapter = LavishAdapter(widths=widths, width=4, latents=3, groups=2).double()
    for parameter in adapter.parameters():
        parameter.data = torch.randn_like(parameter) / 2
    return adapter


def norm(x: Tensor) -> Tensor:
    centred = x - x.mean()
    return centred / (centred.square().mean() + 1e-5).sqrt()


def grouped(weight: Tensor, x: Tensor) -> Tensor:
    groups = len(x) // weight.shape[1]
    return torch.cat([w @ part for part, w in zip(x.chunk(groups), weight.chunk(groups), strict=True)])


def loop(state: Mapping[str, Tensor], name: str, x: Tensor, y: Tensor, heard: Tensor) -> Tensor:
    """One segment: x (N, D), y (M, E), heard (M,), token by token as the docstring's formula says."""
    p = {key.removeprefix(f"directions.{name}."): value for key, value in state.items()}
    rows = []
    for latent in p["latents"]:
        spoken = y[heard]
        row = latent if len(spoken) == 0 else latent + (spoken @ latent).softmax(0) @ spoken
        rows.append(p["bridge.weight"] @ row if "bridge.weight" in p else row)
    summary = torch.stack(rows)
    out = []
    for token in x:
        token = token + p["gate_heard"] * ((summary @ token).softmax(0) @ summary)
        z = grouped(p["down.weight"], (norm(token) - p["standard.mean"]) / (p["standard.variance"] + 1e-5).sqrt())
        z = (norm(z) * p["norm_down.weight"] + p["norm_down.bias"]).relu()
        up = norm(grouped(p["up.weight"], z)) * p["norm_up.weight"] + p["norm_up.bias"]
        out.append(p["gate_out"] * up)
    return torch.stack(out)


def reference(adapter: LavishAdapter, streams: Streams) -> dict[Modality, Tensor]:
    state = dict(adapter.named_parameters()) | dict(adapter.named_buffers())
    naive = {LANGUAGE: streams[LANGUAGE].tokens}
    for listener, speaker in ((VISUAL, AUDIO), (AUDIO, VISUAL)):
        clips = []
        for clip in range(3):
            segments = []
            for t in range(5):
                x, y = streams[listener], streams[speaker]
                out = loop(state, listener, x.tokens[clip, t], y.tokens[clip, t], y.mask[clip, t])
                segments.append(torch.where(x.mask[clip, t, :, None], x.tokens[clip, t] + out, x.tokens[clip, t]))
            clips.append(torch.stack(segments))
        naive[listener] = torch.stack(clips)
    return naive


@pytest.mark.parametrize("same_width", [False, True])
def test_values_and_gradients_equal_a_loop(
    widths: dict[Modality, int], make_streams: MakeStreams, same_width: bool
) -> None:
    streams = make_streams()
    if same_width:
        visual = streams[VISUAL]
        streams[VISUAL] = Stream(visual.tokens[..., :6], visual.mask, visual.present)
        widths[VISUAL] = 6
    adapter = noisy(widths)
    adapter.measure(streams)
    fast, naive = adapter(streams).streams, reference(adapter, streams)
    for modality in Modality:
        torch.testing.assert_close(fast[modality].tokens, naive[modality], rtol=1e-9, atol=1e-9)
    parameters = list(adapter.parameters())
    gradients = torch.autograd.grad(sum((s.tokens.sin().sum() for s in fast.values()), torch.zeros(())), parameters)
    expected = torch.autograd.grad(sum((t.sin().sum() for t in naive.values()), torch.zeros(())), parameters)
    for gradient, other in zip(gradients, expected, strict=True):
        torch.testing.assert_close(gradient, other, rtol=1e-8, atol=1e-8)


def test_starts_as_the_identity_and_only_the_outer_gate_learns_at_first(
    widths: dict[Modality, int], make_streams: MakeStreams
) -> None:
    streams = make_streams()
    adapter = LavishAdapter(widths=widths, width=4).double()
    output = adapter(streams)
    for modality, stream in output.streams.items():
        assert torch.equal(stream.tokens, streams[modality].tokens)
    sum(s.tokens.sin().sum() for s in output.streams.values()).backward()
    learning = {
        name
        for name, parameter in adapter.named_parameters()
        if parameter.grad is not None and parameter.grad.abs().sum() > 0
    }
    assert learning == {"directions.visual.gate_out", "directions.audio.gate_out"}


def test_every_parameter_learns_from_the_third_step(widths: dict[Modality, int], make_streams: MakeStreams) -> None:
    streams, adapter = make_streams(), LavishAdapter(widths=widths, width=4).double()
    optimizer = torch.optim.SGD(adapter.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        sum(s.tokens.sin().sum() for s in adapter(streams).streams.values()).backward()
        optimizer.step()
    assert not [name for name, p in adapter.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


def test_padding_stays_and_is_not_heard(widths: dict[Modality, int], make_streams: MakeStreams) -> None:
    streams, adapter = make_streams(), noisy(widths)
    other = {
        m: s.with_tokens(torch.where(s.mask[..., None], s.tokens, s.tokens.flip(-1) * 5)) for m, s in streams.items()
    }
    first, second = adapter(streams).streams, adapter(other).streams
    for modality in Modality:
        mask = streams[modality].mask
        assert torch.equal(first[modality].tokens[mask], second[modality].tokens[mask])
        assert torch.equal(second[modality].tokens[~mask], other[modality].tokens[~mask])
        if modality is not LANGUAGE:
            assert not torch.equal(first[modality].tokens[mask], streams[modality].tokens[mask])


def test_segments_never_mix(widths: dict[Modality, int], make_streams: MakeStreams) -> None:
    streams, adapter = make_streams(), noisy(widths)
    inputs = {m: s.tokens.clone().requires_grad_() for m, s in streams.items()}
    output = adapter({m: s.with_tokens(inputs[m]) for m, s in streams.items()}).streams
    gradient = torch.autograd.grad(output[VISUAL].tokens[:, 1].sin().sum(), inputs[AUDIO])[0]
    assert gradient[:, 1].abs().sum() > 0
    assert gradient[:, [0, 2, 3, 4]].abs().sum() == 0


def test_grouped_linear_is_a_grouped_convolution() -> None:
    torch.manual_seed(0)
    linear, convolution = GroupedLinear(6, 10, 2), torch.nn.Conv1d(6, 10, 1, groups=2, bias=False)
    convolution.weight.data = linear.weight.data[..., None]
    x = torch.randn(2, 7, 6)
    torch.testing.assert_close(linear(x), convolution(x.transpose(1, 2)).transpose(1, 2))


@pytest.mark.parametrize("groups", [1, 2])
def test_number_of_parameters(groups: int) -> None:
    widths = {VISUAL: 16, AUDIO: 32, LANGUAGE: 10}
    adapter = Lavish(groups=groups, latents=3).adapter(Stage(1, 3, widths))
    count = 0
    for d, e in ((16, 32), (32, 16)):
        r = d // 8
        count += 3 * e + e * d + 2 * d * r // groups + 2 * r + 2 * d + 2
    assert sum(parameter.numel() for parameter in adapter.parameters()) == count


def test_errors(widths: dict[Modality, int]) -> None:
    with pytest.raises(ValueError, match=r"lacks \['audio'\]"):
        Lavish().adapter(Stage(1, 1, {VISUAL: 16, LANGUAGE: 8}))
    with pytest.raises(ValueError, match="groups=4 must divide the visual width 14"):
        Lavish(groups=4).adapter(Stage(1, 1, widths))
    with pytest.raises(ValueError, match="the bottleneck 3"):
        Lavish(width=3).adapter(Stage(1, 1, widths))
