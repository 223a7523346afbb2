from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor

from lstta_core.interfaces import Modality, Stage, Streams
from lstta_core.methods.cola import CoLA
from lstta_core.methods.moka import MokA, MokAAdapter, tell_once
from lstta_core.testing.inputs import absent
from lstta_core.testing.toy_encoders import ToyAudio, ToyLanguage

VISUAL, AUDIO, LANGUAGE = Modality
MakeStreams = Callable[[], Streams]
SCALE, SHARE = 5 / 3, 0.7


def noisy(widths: dict[Modality, int]) -> MokAAdapter:
    torch.manual_seed(1)
    adapter = MokAAdapter(widths=widths, r=3, alpha=5, text=SHARE).double()
    for parameter in adapter.parameters():
        parameter.data = torch.randn_like(parameter)
    return adapter


def timed(streams: Streams) -> Streams:
    """The streams with a text of five segments in place of one of the whole clip."""
    text = streams[LANGUAGE]
    tokens = torch.stack([text.tokens[:, 0].roll(t, -1) for t in range(5)], 1)
    mask = torch.stack([text.mask[:, 0].roll(t, -1) for t in range(5)], 1)
    return {**streams, LANGUAGE: replace(text, tokens=tokens, mask=mask)}


def reference(adapter: MokAAdapter, streams: Streams) -> dict[Modality, Tensor]:
    """Token by token, as the docstring has it."""
    p = dict(adapter.named_parameters()) | dict(adapter.named_buffers())

    def narrow(m: Modality, x: Tensor) -> Tensor:
        centred = x - x.mean()
        normed = centred / (centred.square().mean() + 1e-5).sqrt()
        return (
            SCALE * p[f"down.{m}.weight"] @ ((normed - p[f"down.{m}.mean"]) / (p[f"down.{m}.variance"] + 1e-5).sqrt())
        )

    naive = {}
    for m, stream in streams.items():
        clips = []
        for clip in range(3):
            words = streams[LANGUAGE].tokens[clip][streams[LANGUAGE].mask[clip]] if LANGUAGE in streams else []
            said = [narrow(LANGUAGE, word) for word in words]
            out = []
            for x, seen in zip(stream.tokens[clip].flatten(0, 1), stream.mask[clip].flatten(), strict=True):
                z = narrow(m, x)
                if said and m != LANGUAGE:
                    shares = torch.stack([z @ word / 3**0.5 for word in said]).softmax(0)
                    z = z + SHARE * sum((s * word for s, word in zip(shares, said, strict=True)), torch.zeros_like(z))
                u = p[f"up.{len(x)}.weight"] @ z
                out.append(x + u / (1 + u.square().sum() / x.square().sum()).sqrt() if seen else x)
            clips.append(torch.stack(out).view_as(stream.tokens[clip]))
        naive[m] = torch.stack(clips)
    return naive


def of_one_width(streams: Streams) -> Streams:
    return {m: replace(s, tokens=s.tokens[..., :6]) for m, s in streams.items()}


def without_a_text(streams: Streams) -> Streams:
    return {**streams, LANGUAGE: absent(streams[LANGUAGE], [2])}


def without_texts(streams: Streams) -> Streams:
    return {m: s for m, s in streams.items() if m != LANGUAGE}


@pytest.mark.parametrize("kind", [dict, of_one_width, timed, without_a_text, without_texts], ids=lambda f: f.__name__)
def test_values_and_gradients_equal_a_loop(make_streams: MakeStreams, kind: Callable[[Streams], Streams]) -> None:
    streams = kind(make_streams())
    adapter = noisy({m: s.tokens.shape[-1] for m, s in streams.items()})
    adapter.measure(streams)
    fast, naive = adapter(streams).streams, reference(adapter, streams)
    for m in streams:
        torch.testing.assert_close(fast[m].tokens, naive[m], rtol=1e-9, atol=1e-9)
    parameters = list(adapter.parameters())
    gradients = torch.autograd.grad(sum((s.tokens.sin().sum() for s in fast.values()), torch.zeros(())), parameters)
    expected = torch.autograd.grad(sum((t.sin().sum() for t in naive.values()), torch.zeros(())), parameters)
    for gradient, other in zip(gradients, expected, strict=True):
        assert gradient.any()
        torch.testing.assert_close(gradient, other, rtol=1e-8, atol=1e-8)


def test_one_way_out_for_each_width() -> None:
    adapter = MokA(r=3).adapter(Stage(1, 2, {VISUAL: 7, AUDIO: 7, LANGUAGE: 11}))
    assert {name for name, _ in adapter.named_parameters() if name.startswith("up.")} == {"up.7.weight", "up.11.weight"}
    assert sum(p.numel() for p in adapter.parameters()) == 3 * (7 + 7 + 11) + 3 * (7 + 11)


def test_without_text_nothing_is_heard_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    tell_once.cache_clear()
    MokA().prepare({Modality.LANGUAGE: ToyLanguage()})
    assert not caplog.messages
    for _ in range(2):
        MokA().prepare({Modality.AUDIO: ToyAudio()})
    assert caplog.messages == [
        "moka: these encoders have no text, which is all that sight and sound hear of each other"
    ]


@pytest.mark.parametrize("alpha", [0.0, -1.0, math.nan, math.inf, "2"])
def test_a_factor_that_is_none_is_refused(alpha: float) -> None:
    for make in (CoLA, partial(MokAAdapter, widths={Modality.AUDIO: 7})):
        with pytest.raises(ValueError, match=r"^alpha: a number above 0 is wanted, got"):
            make(alpha=alpha)


def test_the_factor_stays_where_the_rank_changes() -> None:
    assert {MokAAdapter(widths={VISUAL: 5}, r=r).down["visual"].scale for r in (1, 3, 16)} == {2.0}
