from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor

from lstta_core.interfaces import Modality, Stage, Streams
from lstta_core.methods.dgsct import DGSCT, DGSCTAdapter
from lstta_core.testing.inputs import absent

VISUAL, AUDIO, LANGUAGE = Modality
MakeStreams = Callable[[], Streams]
State = Mapping[str, Tensor]
ALPHA, BETA = 0.4, 0.2


def noisy(widths: dict[Modality, int], *, last: bool) -> DGSCTAdapter:
    torch.manual_seed(1)
    adapter = DGSCTAdapter(widths=widths, last=last, width=3, latents=2, groups=1, channel=ALPHA, spatial=BETA).double()
    for parameter in adapter.parameters():
        parameter.data = torch.randn_like(parameter) / 2
    return adapter


def norm(x: Tensor) -> Tensor:
    centred = x - x.mean()
    return centred / (centred.square().mean() + 1e-5).sqrt()


def linear(p: State, name: str, x: Tensor) -> Tensor:
    return p[f"{name}.weight"] @ x + p[f"{name}.bias"]


def part(p: State, prefix: str) -> State:
    return {name.removeprefix(f"{prefix}."): value for name, value in p.items() if name.startswith(f"{prefix}.")}


def segment(p: State, x: list[Tensor], y: list[Tensor], other: int) -> list[Tensor]:
    """What is added to the tokens x of one segment that are there, token by token as the docstrings say."""
    latents, gates = part(p, "lavish"), part(p, "gates")
    rows = []
    for latent in latents["latents"]:
        heard = torch.stack([latent @ token for token in y]).softmax(0) if y else []
        row = latent + sum((share * token for share, token in zip(heard, y, strict=True)), torch.zeros(other))
        rows.append(latents["bridge.weight"] @ row if "bridge.weight" in latents else row)
    listened = []
    for token in x:
        shares = torch.stack([token @ row for row in rows]).softmax(0)
        listened.append(token + latents["gate_heard"] * sum(s * row for s, row in zip(shares, rows, strict=True)))
    about = torch.stack(y).mean(0) if y else torch.zeros(other, dtype=torch.float64)
    both = [linear(gates, "own", token).relu() * linear(gates, "about", about).relu() for token in listened]
    mean = torch.stack(both).mean(0)
    channel = linear(gates, "channel", linear(gates, "between", mean).relu()).sigmoid()
    out = []
    for token in listened:
        place = linear(gates, "own_place", (1 + channel) * token).relu() * linear(gates, "about_place", about).relu()
        gated = (1 - ALPHA + ALPHA * channel + BETA * linear(gates, "place", place).sigmoid()) * token
        standard = (norm(gated) - latents["standard.mean"]) / (latents["standard.variance"] + 1e-5).sqrt()
        z = (norm(latents["down.weight"] @ standard) * latents["norm_down.weight"] + latents["norm_down.bias"]).relu()
        up = norm(latents["up.weight"] @ z) * latents["norm_up.weight"] + latents["norm_up.bias"]
        out.append(latents["gate_out"] * up)
    return out


def in_time(p: State, segments: list[list[Tensor]]) -> list[Tensor]:
    """The gate of each segment of one clip."""
    narrow = []
    for t, tokens in enumerate(segments):
        place = [
            f(torch.tensor(t / 10000 ** (i / 3), dtype=torch.float64)) for i in (0, 2) for f in (torch.sin, torch.cos)
        ][:3]
        z = linear(p, "narrow", norm(torch.stack(tokens).mean(0))) + torch.stack(place) if tokens else None
        narrow.append(z)
    seen = [z for z in narrow if z is not None]
    gates = []
    for z in narrow:
        if z is None:
            gates.append(torch.zeros((), dtype=torch.float64))
            continue
        q, a = linear(p, "attention.query", z), part(p, "attention")
        shares = torch.stack([q @ (a["key.weight"] @ k) / 3**0.5 for k in seen]).softmax(0)
        heard = sum(s * linear(a, "value", k) for s, k in zip(shares, seen, strict=True))
        gates.append(linear(p, "gate", z + linear(a, "out", heard))[0].sigmoid())
    return gates


def reference(adapter: DGSCTAdapter, streams: Streams) -> dict[Modality, Tensor]:
    p = dict(adapter.named_parameters()) | dict(adapter.named_buffers())
    naive = {m: [] for m in (VISUAL, AUDIO)}
    for clip in range(3):
        there = {
            m: [list(x[k]) for x, k in zip(streams[m].tokens[clip], streams[m].mask[clip], strict=True)] for m in naive
        }
        after = {}
        for m, other in ((VISUAL, AUDIO), (AUDIO, VISUAL)):
            width = streams[other].tokens.shape[-1]
            added = [
                segment(part(p, f"directions.{m}"), x, y, width) if x else []
                for x, y in zip(there[m], there[other], strict=True)
            ]
            after[m] = [
                [x + u for x, u in zip(one, two, strict=True)] for one, two in zip(there[m], added, strict=True)
            ]
        gates = {m: in_time(part(p, f"time.{m}"), after[m]) for m in after} if adapter.time else {}
        for m, other in ((VISUAL, AUDIO), (AUDIO, VISUAL)):
            tokens = streams[m].tokens[clip].clone()
            for t, row in enumerate(after[m]):
                factor = 1 + p[f"gamma.{m}"] * gates[other][t] if gates else 1
                places = streams[m].mask[clip, t].nonzero().flatten().tolist()
                for place, token in zip(places, row, strict=True):
                    tokens[t, place] = factor * token
            naive[m].append(tokens)
    return {**{m: torch.stack(clips) for m, clips in naive.items()}, LANGUAGE: streams[LANGUAGE].tokens}


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("same_width", [False, True])
def test_values_and_gradients_equal_a_loop(
    widths: dict[Modality, int], make_streams: MakeStreams, last: bool, same_width: bool
) -> None:
    streams = make_streams()
    if same_width:
        streams[VISUAL] = type(streams[VISUAL])(
            streams[VISUAL].tokens[..., :6], streams[VISUAL].mask, streams[VISUAL].present
        )
        widths[VISUAL] = 6
    adapter = noisy(widths, last=last)
    adapter.measure(streams)
    fast, naive = adapter(streams).streams, reference(adapter, streams)
    for m in Modality:
        torch.testing.assert_close(fast[m].tokens, naive[m], rtol=1e-9, atol=1e-9)
    parameters = list(adapter.parameters())
    gradients = torch.autograd.grad(sum((s.tokens.sin().sum() for s in fast.values()), torch.zeros(())), parameters)
    expected = torch.autograd.grad(sum((t.sin().sum() for t in naive.values()), torch.zeros(())), parameters)
    for gradient, other in zip(gradients, expected, strict=True):
        assert gradient.any()
        torch.testing.assert_close(gradient, other, rtol=1e-8, atol=1e-8)


def test_there_is_a_gate_in_time_at_the_last_stage_alone(widths: dict[Modality, int]) -> None:
    first, last = (DGSCT(width=4).adapter(Stage(k, 2, widths)) for k in (1, 2))
    extra = {name.split(".")[0] for name, _ in last.named_parameters()} - {
        name.split(".")[0] for name, _ in first.named_parameters()
    }
    assert extra == {"time", "gamma"}


def test_a_clip_without_sound_is_gated_by_nothing(widths: dict[Modality, int], make_streams: MakeStreams) -> None:
    streams, adapter = make_streams(), noisy(widths, last=True)
    streams[AUDIO] = absent(streams[AUDIO], [0])
    with torch.no_grad():
        one = adapter(streams).streams[VISUAL].tokens[0]
        adapter.gamma[VISUAL].fill_(9)
        assert torch.equal(adapter(streams).streams[VISUAL].tokens[0], one)


def test_errors(widths: dict[Modality, int]) -> None:
    with pytest.raises(ValueError, match=r"dgsct works between .* lacks \['audio'\]"):
        DGSCT().adapter(Stage(1, 1, {VISUAL: 16, LANGUAGE: 8}))
    with pytest.raises(ValueError, match="groups=4 must divide the visual width 14"):
        DGSCT(groups=4).adapter(Stage(1, 1, widths))
