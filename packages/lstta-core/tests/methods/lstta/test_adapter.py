from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lstta_core.interfaces import Modality, Stream, Streams
from lstta_core.methods.lstta.adapter import LSTTAAdapter
from lstta_core.testing import synthetic_streams
from lstta_core.testing.inputs import absent

V, A, L = Modality.VISUAL, Modality.AUDIO, Modality.LANGUAGE
WIDTHS = {V: 5, A: 7, L: 13}
SUBSETS = [subset for n in (1, 2, 3) for subset in itertools.combinations((V, A, L), n)]
MODULES = list(itertools.product([False, True], [False, True]))
FEW = settings(max_examples=25, deadline=None)


def build(modalities: tuple[Modality, ...] = (V, A, L), *, seed: int = 0, **options: object) -> LSTTAAdapter:
    """Freshly initialised."""
    torch.manual_seed(seed)
    given = {"width": 6, "heads": 3, "latents": 2, **options}
    return LSTTAAdapter(widths={m: WIDTHS[m] for m in modalities}, **given)  # type: ignore[arg-type]


def awake(modalities: tuple[Modality, ...] = (V, A, L), *, seed: int = 0, **options: object) -> LSTTAAdapter:
    """With no parameter left at zero."""
    adapter = build(modalities, seed=seed, **options)
    for parameter in adapter.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return adapter


def streams_of(modalities: tuple[Modality, ...] = (V, A, L), **options: object) -> Streams:
    given = {"tokens": {V: 3, A: 2, L: 5}, **options}
    return synthetic_streams({m: WIDTHS[m] for m in modalities}, **given)  # type: ignore[arg-type]


def results(
    adapter: LSTTAAdapter, streams: Streams, weights: Mapping[Modality, Tensor] | None = None
) -> tuple[dict[Modality, Tensor], dict[Modality, Tensor], dict[str, Tensor]]:
    """Tokens after the stage, gradients of the tokens before it, and gradients of the parameters.

    The loss weights visible tokens by ``weights`` (default: their own values before the stage) and importances too.
    """
    weights = weights or {m: stream.tokens.detach() for m, stream in streams.items()}
    leaves = {m: stream.tokens.detach().clone().requires_grad_() for m, stream in streams.items()}
    output = adapter({m: stream.with_tokens(leaves[m]) for m, stream in streams.items()})
    loss = torch.zeros((), dtype=next(adapter.parameters()).dtype)
    for m, stream in output.streams.items():
        loss = loss + (stream.tokens * weights[m] * stream.mask[..., None]).sum()
    for m, importance in output.importances.items():
        loss = loss + ((importance.log() + 0.5) * streams[m].mask.any(-1)).square().sum()
    adapter.zero_grad()
    loss.backward()
    tokens = {m: stream.tokens.detach() for m, stream in output.streams.items()}
    before = {m: leaf.grad for m, leaf in leaves.items() if leaf.grad is not None}
    return tokens, before, {n: p.grad.clone() for n, p in adapter.named_parameters() if p.grad is not None}


# Against naive loops


@pytest.mark.parametrize(
    ("modalities", "long_term", "short_term", "text_segments"),
    [((V, A, L), long, short, s) for (long, short), s in itertools.product(MODULES, (1, 3))]
    + [(subset, True, True, 1) for subset in SUBSETS[:-1]],
)
def test_equals_naive_loops_and_their_gradients(
    naive: ModuleType, modalities: tuple[Modality, ...], long_term: bool, short_term: bool, text_segments: int
) -> None:
    adapter = awake(modalities, long_term=long_term, short_term=short_term, last=True).double()
    streams = streams_of(modalities, batch=2, segments=3, text_segments=text_segments, dtype=torch.float64)
    streams[modalities[0]] = absent(streams[modalities[0]], [1])
    leaves = {m: stream.tokens.requires_grad_() for m, stream in streams.items()}
    output = adapter(streams)
    tokens, importances = naive.lstta(adapter, streams)
    assert output.importances.keys() == importances.keys()
    got = [*(output.streams[m].tokens for m in modalities), *output.importances.values()]
    wanted = [*(tokens[m] for m in modalities), *(importances[m] for m in output.importances)]
    for one, two in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, two)

    inputs = [*leaves.values(), *adapter.parameters()]
    weights = [torch.randn_like(values) for values in got]
    zero = torch.zeros((), dtype=torch.float64)
    one_by_one, together = (
        torch.autograd.grad(
            sum(((v * w).sum() for v, w in zip(values, weights, strict=True)), zero), inputs, allow_unused=True
        )
        for values in (wanted, got)
    )
    for leaf, one, two in zip(inputs, together, one_by_one, strict=True):
        torch.testing.assert_close(*(torch.zeros_like(leaf) if g is None else g for g in (one, two)))


# At the start


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("text_segments", [1, 5])
@pytest.mark.parametrize("modalities", SUBSETS, ids="-".join)
def test_fresh_adapter_is_the_identity(
    modalities: tuple[Modality, ...], text_segments: int, dtype: torch.dtype
) -> None:
    adapter = build(modalities, last=True).to(dtype)
    for gone in itertools.product([False, True], repeat=len(modalities)):
        streams = streams_of(modalities, text_segments=text_segments, dtype=dtype)
        for modality, without in zip(modalities, gone, strict=True):
            if without:
                streams[modality] = absent(streams[modality], [0, 2])
        output = adapter(streams)
        for modality, stream in streams.items():
            assert torch.equal(output.streams[modality].tokens, stream.tokens)
            assert output.streams[modality].tokens.dtype == dtype
        for g in output.importances.values():
            torch.testing.assert_close(g, torch.ones(3, 5), rtol=0, atol=1e-5)


def test_fresh_adapter_is_the_identity_under_autocast() -> None:
    streams = streams_of(dtype=torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        output = build(last=True)(streams)
    for modality, stream in streams.items():
        assert torch.equal(output.streams[modality].tokens, stream.tokens)
        assert output.streams[modality].tokens.dtype == torch.bfloat16


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(("long_term", "short_term"), MODULES)
@pytest.mark.parametrize("modalities", SUBSETS, ids="-".join)
def test_gradients_reach_every_parameter_at_the_second_step(
    modalities: tuple[Modality, ...], long_term: bool, short_term: bool, last: bool
) -> None:
    for text_segments in {1, 5} if L in modalities else {1}:
        adapter = build(modalities, long_term=long_term, short_term=short_term, last=last)
        optimizer = torch.optim.SGD(adapter.parameters(), lr=0.1)
        for _ in range(2):
            _, _, gradients = results(adapter, streams_of(modalities, text_segments=text_segments))
            optimizer.step()
        without = [name for name, _ in adapter.named_parameters() if name not in gradients or not gradients[name].any()]
        assert not without


def test_importances_are_only_computed_where_the_readout_follows() -> None:
    assert build(last=False).long_term.importance is None  # type: ignore[union-attr]
    assert build(last=True).long_term.importance is not None  # type: ignore[union-attr]
    assert build((L,), last=True).long_term is None


# Invariances


@FEW
@given(
    batch=st.integers(2, 4),
    segments=st.integers(1, 4),
    timed_text=st.booleans(),
    modalities=st.sampled_from(SUBSETS),
    seed=st.integers(0, 99),
)
def test_content_of_padding_and_of_what_is_absent_changes_nothing_to_the_bit(
    batch: int, segments: int, timed_text: bool, modalities: tuple[Modality, ...], seed: int
) -> None:
    adapter = awake(modalities, seed=seed, last=True)
    streams = streams_of(
        modalities, batch=batch, segments=segments, text_segments=segments if timed_text else 1, seed=seed
    )
    streams[modalities[seed % len(modalities)]] = absent(streams[modalities[seed % len(modalities)]], [0])
    weights = {m: stream.tokens for m, stream in streams.items()}
    other = {
        m: stream.with_tokens(torch.where(stream.mask[..., None], stream.tokens, 9 * torch.randn_like(stream.tokens)))
        for m, stream in streams.items()
    }
    tokens, before, parameters = results(adapter, streams, weights)
    tokens2, before2, parameters2 = results(adapter, other, weights)
    for m, stream in streams.items():
        assert torch.equal(tokens[m][stream.mask], tokens2[m][stream.mask])
        assert torch.equal(tokens2[m][~stream.mask], other[m].tokens[~stream.mask]), "padding itself was changed"
        assert torch.equal(before[m], before2[m])
        assert not before[m][~stream.mask].any(), "padding has a gradient"
    assert parameters.keys() == parameters2.keys()
    for name, gradient in parameters.items():
        assert torch.equal(gradient, parameters2[name]), name


@FEW
@given(
    batch=st.integers(1, 3),
    segments=st.integers(1, 4),
    more=st.integers(1, 3),
    timed_text=st.booleans(),
    modalities=st.sampled_from(SUBSETS),
    seed=st.integers(0, 99),
)
def test_more_padding_changes_nothing(
    batch: int, segments: int, more: int, timed_text: bool, modalities: tuple[Modality, ...], seed: int
) -> None:
    adapter = awake(modalities, seed=seed, last=True).double()  # so that only rounding of 1e-16 differs
    # Timed text of one segment would stop being one when segments are added.
    timed = timed_text and segments > 1
    streams = streams_of(
        modalities,
        batch=batch,
        segments=segments,
        text_segments=segments if timed else 1,
        seed=seed,
        dtype=torch.float64,
    )

    def pad(stream: Stream, tokens: int, parts: int) -> Stream:
        values = torch.nn.functional.pad(stream.tokens, (0, 0, 0, tokens, 0, parts), value=2.0)
        return Stream(values, torch.nn.functional.pad(stream.mask, (0, tokens, 0, parts)), stream.present)

    longer = {m: pad(stream, more, more if timed or m != L else 0) for m, stream in streams.items()}
    tokens, before, parameters = results(adapter, streams)
    tokens2, before2, parameters2 = results(adapter, longer)
    for m, stream in streams.items():
        torch.testing.assert_close(tokens[m][stream.mask], tokens2[m][longer[m].mask])
        torch.testing.assert_close(before[m][stream.mask], before2[m][longer[m].mask])
    for name, gradient in parameters.items():
        torch.testing.assert_close(gradient, parameters2[name])


@FEW
@given(
    batch=st.integers(2, 5),
    segments=st.integers(1, 4),
    modalities=st.sampled_from(SUBSETS),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_order_and_size_of_the_batch_change_nothing(
    batch: int, segments: int, modalities: tuple[Modality, ...], seed: int, data: st.DataObject
) -> None:
    adapter = awake(modalities, seed=seed, last=True).double()  # so that only rounding of 1e-16 differs
    streams = streams_of(modalities, batch=batch, segments=segments, seed=seed, dtype=torch.float64)
    order = data.draw(st.permutations(range(batch)))
    cut = data.draw(st.integers(1, batch - 1))
    tokens, before, parameters = results(adapter, streams)

    parts = [results(adapter, pick(streams, clips)) for clips in (order[:cut], order[cut:])]
    for m in modalities:
        again = torch.cat([part[0][m] for part in parts])
        torch.testing.assert_close(tokens[m][order], again)
        again = torch.cat([part[1][m] for part in parts])
        torch.testing.assert_close(before[m][order], again)
    for name, gradient in parameters.items():
        total = sum((part[2][name] for part in parts if name in part[2]), torch.zeros_like(gradient))
        torch.testing.assert_close(gradient, total)


def pick(streams: Streams, clips: list[int]) -> Streams:
    return {m: Stream(s.tokens[clips], s.mask[clips], s.present[clips]) for m, s in streams.items()}


@pytest.mark.parametrize("text_segments", [1, 5])
@pytest.mark.parametrize("modalities", SUBSETS, ids="-".join)
def test_clips_without_anything_pass_and_leave_finite_gradients(
    modalities: tuple[Modality, ...], text_segments: int
) -> None:
    adapter = awake(modalities, last=True)
    streams = {m: absent(s, [0, 1, 2]) for m, s in streams_of(modalities, text_segments=text_segments).items()}
    tokens, before, parameters = results(adapter, streams)
    for m, stream in streams.items():
        assert torch.equal(tokens[m], stream.tokens)
        assert not before[m].any()
    assert not any(gradient.isnan().any() or gradient.any() for gradient in parameters.values())


def test_importances_are_one_for_what_is_absent() -> None:
    streams = streams_of()
    streams[A] = absent(streams[A], [1])
    importances = awake(last=True)(streams).importances
    assert torch.equal(importances[A][1], torch.ones(5))
    assert (importances[V][1, :4] != 1).all()


# Options


def test_parameter_count_by_a_closed_formula() -> None:
    for modalities, (long_term, short_term), last in itertools.product(SUBSETS, MODULES, (False, True)):
        for r, heads, k, w in ((6, 4, 2, 3), (10, 2, 3, 1), (13, 7, 1, 5)):
            adapter = build(
                modalities,
                width=r,
                heads=heads,
                latents=k,
                window=w,
                long_term=long_term,
                short_term=short_term,
                last=last,
            )
            c, n, t = len(modalities), len([m for m in modalities if m != L]), L in modalities
            inner = heads * -(-r // heads)
            attention = 4 * r * inner + inner + r
            count = sum(2 * WIDTHS[m] * r + r for m in modalities)
            if long_term and n:
                count += (1 + n) * r * r + c * r + attention
                count += last * ((1 + n * (1 + short_term)) * r * inner + inner + (1 + t) * r)
                if w > 1 and short_term:
                    count += last * (n * (r + 1) * heads * w + t * r)
            if short_term and n:
                count += (n * k + c) * r + attention + (w > 1) * 2 * w * inner
            assert sum(p.numel() for p in adapter.parameters()) == count


def test_dropout_works_in_train_mode_alone() -> None:
    adapter, streams = awake(dropout=0.5), streams_of()
    one, two = (adapter.train()(streams).streams[V].tokens for _ in range(2))
    assert not torch.equal(one, two)
    one, two = (adapter.eval()(streams).streams[V].tokens for _ in range(2))
    assert torch.equal(one, two)


def test_streams_that_do_not_fit_are_refused() -> None:
    adapter, streams = build(), streams_of()
    with pytest.raises(ValueError, match=r"built for \['visual', 'audio', 'language'\], got streams for \['visual'\]"):
        adapter({V: streams[V]})
    with pytest.raises(ValueError, match="visual and audio streams must have the same number of segments"):
        adapter({**streams, A: streams_of((A,), segments=4)[A]})
    with pytest.raises(ValueError, match=r"text must have 1 segment or those of the clip \(5\), got 4"):
        adapter({**streams, L: streams_of((L,), text_segments=4)[L]})
    with pytest.raises(ValueError, match="streams differ in batch size"):
        adapter({**streams, L: streams_of((L,), batch=2)[L]})
    with pytest.raises(ValueError, match=r"audio mask must have shape \(3, 5, 2\), got \(3, 5, 1\)"):
        adapter({**streams, A: replace(streams[A], mask=streams[A].mask[..., :1])})
