from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F

from lstta_core.interfaces import Modality, Stage, Streams
from lstta_core.methods.bottleneck import Bottleneck, BottleneckAdapter

MakeStreams = Callable[[], Streams]


def noisy(widths: dict[Modality, int]) -> BottleneckAdapter:
    torch.manual_seed(1)
    adapter = BottleneckAdapter(widths=widths, width=3).double()
    for parameter in adapter.parameters():
        parameter.data = torch.randn_like(parameter)
    return adapter


def test_starts_as_the_identity(widths: dict[Modality, int], make_streams: MakeStreams) -> None:
    streams = make_streams()
    output = BottleneckAdapter(widths=widths, width=3).double()(streams)
    assert not output.importances
    for modality, stream in output.streams.items():
        assert torch.equal(stream.tokens, streams[modality].tokens)


def test_values_and_gradients_equal_a_loop(widths: dict[Modality, int], make_streams: MakeStreams) -> None:
    streams, adapter = make_streams(), noisy(widths)
    adapter.measure(streams)
    fast = adapter(streams).streams
    buffers = dict(adapter.named_buffers())
    state = dict(adapter.named_parameters())
    naive = {}
    for modality, stream in streams.items():
        out = []
        for x, seen in zip(stream.tokens.flatten(0, 2), stream.mask.flatten(), strict=True):
            centred = x - x.mean()
            normed = centred / (centred.square().mean() + 1e-5).sqrt()
            normed = (normed - buffers[f"down.{modality}.mean"]) / (buffers[f"down.{modality}.variance"] + 1e-5).sqrt()
            z = state[f"down.{modality}.weight"] @ normed + state[f"down.{modality}.bias"]
            u = state[f"up.{modality}.weight"] @ F.gelu(z)
            out.append(x + u / (1 + u.square().sum() / x.square().sum()).sqrt() if seen else x)
        naive[modality] = torch.stack(out).view_as(stream.tokens)
        torch.testing.assert_close(fast[modality].tokens, naive[modality], rtol=1e-10, atol=1e-10)
    parameters = list(adapter.parameters())
    gradients = torch.autograd.grad(sum((s.tokens.sin().sum() for s in fast.values()), torch.zeros(())), parameters)
    expected = torch.autograd.grad(sum((t.sin().sum() for t in naive.values()), torch.zeros(())), parameters)
    for gradient, reference in zip(gradients, expected, strict=True):
        torch.testing.assert_close(gradient, reference, rtol=1e-9, atol=1e-9)


def test_padding_stays_as_it_is(widths: dict[Modality, int], make_streams: MakeStreams) -> None:
    streams = make_streams()
    for modality, stream in noisy(widths)(streams).streams.items():
        mask = stream.mask
        assert torch.equal(stream.tokens[~mask], streams[modality].tokens[~mask])
        assert not torch.allclose(stream.tokens[mask], streams[modality].tokens[mask])


def test_number_of_parameters(widths: dict[Modality, int]) -> None:
    adapter = Bottleneck(width=5).adapter(Stage(1, 3, widths))
    # down with its bias, up without one
    expected = sum(width * 5 + 5 + 5 * width for width in widths.values())
    assert sum(parameter.numel() for parameter in adapter.parameters()) == expected
