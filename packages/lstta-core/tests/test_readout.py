"""The readout against a loop-written reference, and what it makes of importances, absence and padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lstta_core.interfaces import Modality, Stream, Streams, TrimodalOutput
from lstta_core.methods.lstta.plan import sinusoids
from lstta_core.readout import Readout, TextGuidedPool

VISUAL, AUDIO, LANGUAGE = Modality
WIDTHS = {VISUAL: 11, AUDIO: 5, LANGUAGE: 7}
SHAPES = {VISUAL: (3, 5, 2), AUDIO: (3, 5, 3), LANGUAGE: (3, 1, 13)}
HEADS = (slice(0, 2), slice(2, 4), slice(4, 6))
ZEROS = torch.zeros(2, dtype=torch.float64)
Importances = Mapping[Modality, Tensor]


def make_streams(modalities: Sequence[Modality] = tuple(Modality)) -> Streams:
    random = torch.Generator().manual_seed(2)
    streams = {}
    for modality in modalities:
        shape = SHAPES[modality]
        mask = torch.rand(shape, generator=random) < 0.7
        mask[..., 0] = True
        tokens = torch.randn(*shape, WIDTHS[modality], generator=random, dtype=torch.float64)
        streams[modality] = Stream(tokens, mask, torch.ones(3, dtype=torch.bool))
    return streams


def make_importances() -> dict[Modality, Tensor]:
    random = torch.Generator().manual_seed(4)
    return {m: 2 * torch.rand(3, 5, generator=random, dtype=torch.float64) for m in (VISUAL, AUDIO)}


def output(streams: Streams, *importances: Importances) -> TrimodalOutput:
    return TrimodalOutput(streams, list(importances))


def make_readout(modalities: Sequence[Modality] = tuple(Modality), *, guided: bool = True) -> Readout:
    torch.manual_seed(0)
    readout = Readout(widths={m: WIDTHS[m] for m in modalities}, width=6, heads=3, guided=guided).double()
    for parameter in readout.parameters():
        parameter.data = torch.randn_like(parameter) / 2
    for name, buffer in readout.named_buffers():
        if name.endswith(("mean", "variance")):
            buffer.copy_(torch.rand_like(buffer) + 0.5)
    return readout.eval()


def absent(stream: Stream, clip: int) -> Stream:
    mask, present = stream.mask.clone(), stream.present.clone()
    mask[clip], present[clip] = False, False
    return Stream(stream.tokens, mask, present)


def state_of(readout: Readout) -> dict[str, Tensor]:
    return {**dict(readout.named_parameters()), **dict(readout.named_buffers())}


def project(p: Mapping[str, Tensor], modality: Modality, x: Tensor) -> Tensor:
    normed = F.layer_norm(x, x.shape, p[f"project.{modality}.0.weight"], p[f"project.{modality}.0.bias"])
    return p[f"project.{modality}.1.weight"] @ normed + p[f"project.{modality}.1.bias"]


def standardise(p: Mapping[str, Tensor], modality: Modality, x: Tensor) -> Tensor:
    scaled = (x - p[f"norm.{modality}.mean"]) / (p[f"norm.{modality}.variance"] + 1e-5).sqrt()
    return p[f"norm.{modality}.weight"] * scaled + p[f"norm.{modality}.bias"]


def loop(readout: Readout, streams: Streams, importances: Importances) -> tuple[Tensor, dict[Modality, Tensor]]:
    """One clip, one head, one token at a time: the vectors, and the share of each segment in the weights."""
    p = state_of(readout)
    rows = []
    shares = {m: torch.zeros(3, 5, dtype=torch.float64) for m in (VISUAL, AUDIO) if m in streams}
    for clip in range(3):
        query = p["default_query"]
        if LANGUAGE in streams:
            text = streams[LANGUAGE]
            words = [project(p, LANGUAGE, x) for x in text.tokens[clip][text.mask[clip]]]
            if words:
                pooled = []
                for head, asked in zip(HEADS, p["text.queries"], strict=True):
                    weights = torch.stack([asked @ word[head] / 2**0.5 for word in words]).softmax(0)
                    pooled.append(sum((w * word[head] for w, word in zip(weights, words, strict=True)), ZEROS))
                query = query + standardise(p, LANGUAGE, torch.cat(pooled))
        parts, added = [query], query
        for modality in (m for m in (VISUAL, AUDIO) if m in streams):
            stream, pool = streams[modality], f"pool.{modality}"
            q = p[f"{pool}.query.weight"] @ query + p[f"{pool}.query.bias"]
            heads = []
            for head in HEADS:
                values, scores, segments = [], [], []
                for t in range(5):
                    for x, seen in zip(stream.tokens[clip, t], stream.mask[clip, t], strict=True):
                        if seen:
                            token = project(p, modality, x) + sinusoids(5, 6, x)[t]
                            score = q[head] @ (p[f"{pool}.key.weight"] @ token)[head] / 2**0.5
                            g = importances[modality][clip, t] if modality in importances else torch.ones(())
                            scores.append(score + g.log())
                            values.append(token[head])
                            segments.append(t)
                weights = torch.stack(scores).softmax(0) if scores else torch.zeros(0)
                for w, t in zip(weights.tolist(), segments, strict=True):
                    shares[modality][clip, t] += w / 3
                heads.append(sum((w * v for w, v in zip(weights, values, strict=True)), ZEROS))
            pooled = standardise(p, modality, torch.cat(heads)) if stream.mask[clip].any() else torch.zeros(6).double()
            parts += [pooled, pooled * query]
            added = added + pooled
        rows.append(added + F.gelu(p["fusion.0.weight"] @ torch.cat(parts) + p["fusion.0.bias"]))
    return torch.stack(rows), shares


def loop_of_means(
    readout: Readout, streams: Streams, importances: Importances
) -> tuple[Tensor, dict[Modality, Tensor]]:
    """The same of a probe: the sum of three weighted means, one token at a time."""
    p = state_of(readout)
    rows = []
    shares = {m: torch.zeros(3, 5, dtype=torch.float64) for m in (VISUAL, AUDIO) if m in streams}
    for clip in range(3):
        row = torch.zeros(6, dtype=torch.float64)
        for modality, stream in streams.items():
            total, weight = torch.zeros(6, dtype=torch.float64), torch.zeros((), dtype=torch.float64)
            for t in range(stream.mask.shape[1]):
                g = importances[modality][clip, t] if modality in importances else torch.ones(()).double()
                for x, seen in zip(stream.tokens[clip, t], stream.mask[clip, t], strict=True):
                    if seen:
                        total, weight = total + g * project(p, modality, x), weight + g
                        if modality in shares:
                            shares[modality][clip, t] += g
            if weight:
                row = row + standardise(p, modality, total / weight)
                if modality in shares:
                    shares[modality][clip] /= weight
        rows.append(row)
    return torch.stack(rows), shares


@pytest.mark.parametrize(
    "modalities", [tuple(Modality), (VISUAL, AUDIO), (AUDIO, LANGUAGE), (VISUAL,), (LANGUAGE,)], ids=str
)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("guided", [False, True])
def test_values_and_gradients_equal_a_loop(modalities: tuple[Modality, ...], weighted: bool, guided: bool) -> None:
    readout, streams = make_readout(modalities, guided=guided), make_streams(modalities)
    streams[modalities[0]] = absent(streams[modalities[0]], 1)
    importances = make_importances() if weighted else {}
    fast = readout(output(streams, importances) if weighted else output(streams))
    naive, shares = (loop if guided else loop_of_means)(readout, streams, importances)
    assert fast.shape == (3, 6)
    torch.testing.assert_close(fast, naive, rtol=1e-10, atol=1e-10)
    attention = readout.attention(output(streams, importances) if weighted else output(streams))
    assert attention.keys() == shares.keys()
    for modality, share in shares.items():
        torch.testing.assert_close(attention[modality], share, rtol=1e-10, atol=1e-10)
    parameters = list(readout.parameters())
    gradients = torch.autograd.grad(fast.sin().sum(), parameters)
    expected = torch.autograd.grad(naive.sin().sum(), parameters)
    for gradient, other in zip(gradients, expected, strict=True):
        torch.testing.assert_close(gradient, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("guided", [False, True])
def test_without_importances_segments_weigh_the_same_as_with_ones(guided: bool) -> None:
    readout, streams = make_readout(guided=guided), make_streams()
    ones = {m: torch.ones(3, 5, dtype=torch.float64) for m in (VISUAL, AUDIO)}
    assert torch.equal(readout(output(streams)), readout(output(streams, ones)))


def test_only_the_last_stage_counts() -> None:
    readout, streams = make_readout(), make_streams()
    last = make_importances()
    first = {m: g.flip(1) for m, g in last.items()}
    assert torch.equal(readout(output(streams, first, last)), readout(output(streams, last)))
    assert not torch.allclose(readout(output(streams, last, first)), readout(output(streams, last)))


def test_an_importance_multiplies_the_weight_of_its_segment() -> None:
    torch.manual_seed(0)
    pool = TextGuidedPool(width=6, heads=3).double()
    tokens = torch.randn(2, 5, 3, 6, dtype=torch.float64)
    query, mask = torch.zeros(2, 6, dtype=torch.float64), torch.ones(2, 5, 3, dtype=torch.bool)
    for parameter in (pool.query.bias, pool.query.weight):
        parameter.data.zero_()  # all tokens score the same, so the weights are g alone
    g = torch.tensor([0.5, 1.0, 1.5, 0.25, 1.75], dtype=torch.float64).expand(2, -1)
    expected = torch.einsum("t,btnd->bd", g[0] / (3 * g[0].sum()), tokens)
    torch.testing.assert_close(pool(query, tokens, mask, g.log()), expected)
    torch.testing.assert_close(pool(query, tokens, mask, None), tokens.mean((1, 2)))


@pytest.mark.parametrize("guided", [False, True])
def test_an_importance_of_zero_silences_its_segment_and_stays_finite(guided: bool) -> None:
    readout, streams = make_readout(guided=guided), make_streams()
    g = make_importances()
    g[VISUAL][:, 2] = 0
    g = {m: values.requires_grad_() for m, values in g.items()}
    vector = readout(output(streams, g))
    vector.sum().backward()
    assert torch.isfinite(vector).all()
    assert all(values.grad is not None and torch.isfinite(values.grad).all() for values in g.values())
    mask = streams[VISUAL].mask.clone()
    mask[:, 2] = False
    without = {**streams, VISUAL: Stream(streams[VISUAL].tokens, mask, streams[VISUAL].present)}
    torch.testing.assert_close(readout(output(without, g)), vector)


@pytest.mark.parametrize("modality", list(Modality))
@pytest.mark.parametrize("guided", [False, True])
def test_an_absent_modality_gives_zeros_and_its_content_does_not_matter(modality: Modality, guided: bool) -> None:
    readout, streams = make_readout(guided=guided), make_streams()
    lacking = {**streams, modality: absent(streams[modality], 1)}
    changed = streams[modality].tokens.clone()
    changed[1] = 100
    other = {**lacking, modality: lacking[modality].with_tokens(changed)}
    vector = readout(output(lacking))
    assert torch.equal(vector, readout(output(other)))
    whole = readout(output(streams))
    assert torch.equal(vector[[0, 2]], whole[[0, 2]])
    assert not torch.allclose(vector[1], whole[1])


@pytest.mark.parametrize("guided", [False, True])
def test_everything_absent_is_finite(guided: bool) -> None:
    readout = make_readout(guided=guided)
    streams = {m: absent(stream, 1) for m, stream in make_streams().items()}
    assert torch.isfinite(readout(output(streams, make_importances()))).all()


@pytest.mark.parametrize("guided", [False, True])
def test_shares_of_attention_sum_to_one_and_are_zeros_where_nothing_is_seen(guided: bool) -> None:
    readout, streams = make_readout(guided=guided), make_streams()
    streams[AUDIO] = absent(streams[AUDIO], 1)
    attention = readout.attention(output(streams, make_importances()))
    torch.testing.assert_close(attention[VISUAL].sum(1), torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(attention[AUDIO].sum(1), torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64))


@pytest.mark.parametrize("guided", [False, True])
def test_content_of_padding_does_not_matter(guided: bool) -> None:
    readout, streams, g = make_readout(guided=guided), make_streams(), make_importances()
    other = {
        m: s.with_tokens(torch.where(s.mask[..., None], s.tokens, 30 * s.tokens.flip(-1))) for m, s in streams.items()
    }
    assert torch.equal(readout(output(streams, g)), readout(output(other, g)))


@pytest.mark.parametrize("guided", [False, True])
def test_reads_bfloat16_streams_in_its_own_type(guided: bool) -> None:
    readout, streams = make_readout(guided=guided).float(), make_streams()
    low = {m: Stream(s.tokens.bfloat16(), s.mask, s.present) for m, s in streams.items()}
    rounded = {m: Stream(s.tokens.float(), s.mask, s.present) for m, s in low.items()}
    vector = readout(output(low))
    assert vector.dtype == torch.float32
    assert torch.equal(vector, readout(output(rounded)))


def test_heads_must_divide() -> None:
    with pytest.raises(ValueError, match="heads=4, width=6"):
        Readout(widths=WIDTHS, width=6, heads=4)
