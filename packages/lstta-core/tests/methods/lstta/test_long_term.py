from __future__ import annotations

import itertools
from collections.abc import Sequence
from types import ModuleType
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from lstta_core.interfaces import Modality
from lstta_core.methods.lstta.long_term import LongTermFilter
from lstta_core.methods.lstta.plan import make_plan, sinusoids
from lstta_core.testing import synthetic_streams
from lstta_core.testing.inputs import absent

V, A, L = Modality.VISUAL, Modality.AUDIO, Modality.LANGUAGE
WITH_SIGHT_OR_SOUND = [m for n in (1, 2, 3) for m in itertools.combinations((V, A, L), n) if m != (L,)]
WIDTH = 6


def a_filter(modalities: Sequence[Modality], *, importance: bool = True, window: int | None = 3) -> LongTermFilter:
    """In float64, with importances that are no longer at their start."""
    torch.manual_seed(0)
    module = LongTermFilter(width=WIDTH, heads=4, modalities=modalities, importance=importance, window=window).double()
    if module.importance is not None:
        torch.nn.init.normal_(module.importance.key.weight)
    return module


def tokens_of(
    modalities: Sequence[Modality], *, text_segments: int = 1, segments: int = 5
) -> tuple[dict[Modality, Tensor], dict[Modality, Tensor]]:
    """z and masks, z zero under a false mask; clip 1 lacks the first modality."""
    streams = synthetic_streams(
        dict.fromkeys(modalities, WIDTH),
        batch=2,
        segments=segments,
        text_segments=text_segments,
        tokens={V: 3, A: 2, L: 5},
        dtype=torch.float64,
    )
    if len(modalities) > 1:
        streams[modalities[0]] = absent(streams[modalities[0]], [1])
    z = {m: stream.tokens.masked_fill(~stream.mask[..., None], 0).requires_grad_() for m, stream in streams.items()}
    return z, {m: stream.mask for m, stream in streams.items()}


class Judged(NamedTuple):
    context: Tensor
    clip_context: Tensor
    log_importances: dict[Modality, Tensor]


def before(z: dict[Modality, Tensor]) -> dict[Modality, Tensor]:
    """Something else than z that depends on it, as what a short-term module has not touched yet does."""
    return {m: (3 * tokens).sin() for m, tokens in z.items()}


def judge(module: LongTermFilter, z: dict[Modality, Tensor], masks: dict[Modality, Tensor]) -> Judged:
    """What the filter says of the modalities by name; where it looks around segments, it is told of :func:`before`."""
    timed = [m for m in (V, A) if m in z]
    held = torch.cat([before(z)[m] for m in timed], 2) if module.importance and module.importance.parts > 1 else None
    plan = make_plan(masks, width=WIDTH, window=3, latents=2, dtype=module.time.weight.dtype)
    out = module(torch.cat([z[m] for m in timed], 2), z.get(L), plan, held)
    log_g = () if out.log_importances is None else out.log_importances.unbind(-1)
    return Judged(out.context, out.clip_context[:, 0], dict(zip(timed, log_g, strict=False)))


@pytest.mark.parametrize("window", [None, 1, 3, 5])
@pytest.mark.parametrize("text_segments", [1, 5])
@pytest.mark.parametrize("modalities", WITH_SIGHT_OR_SOUND, ids="-".join)
def test_equals_naive_loops_and_their_gradients(
    naive: ModuleType, modalities: tuple[Modality, ...], text_segments: int, window: int | None
) -> None:
    module = a_filter(modalities, window=window)
    z, masks = tokens_of(modalities, text_segments=text_segments)
    got = judge(module, z, masks)
    outs = [got.context, got.clip_context, *got.log_importances.values()]

    clips = [
        naive.long_term(
            module,
            naive.visible(z, masks, b),
            WIDTH,
            None if window is None else naive.visible(before(z), masks, b),
        )
        for b in range(2)
    ]
    references = [
        torch.stack([torch.stack(context) for context, _, _ in clips]),
        torch.stack([clip_context for _, clip_context, _ in clips]),
        *(torch.stack([torch.stack(log_g[m]) for _, _, log_g in clips]) for m in got.log_importances),
    ]
    for out, reference in zip(outs, references, strict=True):
        torch.testing.assert_close(out, reference)

    leaves = [*z.values(), *module.parameters()]
    weights = [torch.randn_like(out) for out in outs]
    one, two = (
        torch.autograd.grad(sum(((v * w).sum() for v, w in zip(values, weights, strict=True)), torch.zeros(())), leaves)
        for values in (outs, references)
    )
    for gradient, reference in zip(one, two, strict=True):
        torch.testing.assert_close(gradient, reference)


def test_gradcheck() -> None:
    module = a_filter((V, A, L))
    z, masks = tokens_of((V, A, L), segments=2)

    def outputs(*tokens: Tensor) -> tuple[Tensor, ...]:
        got = judge(module, dict(zip(z, tokens, strict=True)), masks)
        return got.context, got.clip_context, *got.log_importances.values()

    assert torch.autograd.gradcheck(outputs, list(z.values()), fast_mode=True)


def test_the_context_cannot_push_all_units_away_however_its_weights_grow() -> None:
    module = a_filter((V, A, L))
    z, masks = tokens_of((V, A, L))
    small = judge(module, z, masks).context
    with torch.no_grad():
        module.context.weight *= 1e4
    large = judge(module, z, masks).context
    assert small.square().mean(-1).max() < large.square().mean(-1).max() < 1
    assert large[0].square().mean(-1).min() > 0.99, "the weights are not large: the test shows nothing"
    torch.testing.assert_close(large.mean(-1), torch.zeros_like(large[..., 0]))


@pytest.mark.parametrize("text_segments", [1, 5])
def test_every_segment_sees_the_whole_clip(text_segments: int) -> None:
    module = a_filter((V, A, L))
    z, masks = tokens_of((V, A, L), text_segments=text_segments)
    got = judge(module, z, masks)
    for values in (got.context, *got.log_importances.values()):
        for segment in range(5):
            gradients = torch.autograd.grad(values[0, segment].square().sum(), list(z.values()), retain_graph=True)
            for gradient, mask in zip(gradients, masks.values(), strict=True):
                assert gradient[0].abs().amax(-1)[mask[0]].all(), "a visible token of the clip is not seen"
                assert not gradient[1:].any(), "another clip is seen"


def test_importances_are_one_at_the_start_and_where_nothing_is() -> None:
    z, masks = tokens_of((V, A, L))
    fresh = LongTermFilter(width=WIDTH, heads=4, modalities=(V, A, L))
    log_g = judge(fresh, {m: tokens.float() for m, tokens in z.items()}, masks).log_importances
    for values in log_g.values():
        torch.testing.assert_close(values, torch.zeros(2, 5), rtol=0, atol=1e-6)
    with torch.no_grad():
        trained = judge(a_filter((V, A, L)), z, masks).log_importances
    for modality, values in trained.items():
        seen = masks[modality].any(-1)
        assert torch.equal(values[~seen], torch.zeros_like(values[~seen]))
        assert values[seen].all()
        for clip in range(2):  # 1 on average over the segments that hold something
            if seen[clip].any():
                assert float(values[clip][seen[clip]].exp().mean()) == pytest.approx(1, abs=1e-9)


def test_the_question_decides_what_is_important() -> None:
    module = a_filter((V, A, L))
    z, masks = tokens_of((V, A, L))
    one = judge(module, z, masks).log_importances[A]
    other = judge(module, {**z, L: z[L] + torch.randn_like(z[L][:, :, :1]) * masks[L][..., None]}, masks)
    other = other.log_importances[A]
    seen = masks[A].any(-1)
    assert ((one - other)[0][seen[0]].std()) > 0.01


def test_without_importance_there_are_none() -> None:
    module = a_filter((V, L), importance=False)
    assert module.importance is None
    assert judge(module, *tokens_of((V, L))).log_importances == {}


def test_clip_without_anything_gives_zeros_and_finite_gradients() -> None:
    module = a_filter((V, A, L))
    z, masks = tokens_of((V, A, L))
    nothing = {m: torch.zeros_like(mask) for m, mask in masks.items()}
    empty = {m: torch.zeros_like(tokens).requires_grad_() for m, tokens in z.items()}
    got = judge(module, empty, nothing)
    for values in (got.context, got.clip_context, *got.log_importances.values()):
        assert torch.equal(values, torch.zeros_like(values))
    (got.context.sum() + got.clip_context.sum() + sum(v.sum() for v in got.log_importances.values())).backward()
    for leaf in (*empty.values(), *module.parameters()):
        assert leaf.grad is None or not leaf.grad.isnan().any()


def test_half_precision_keeps_importances_in_float32() -> None:
    z, masks = tokens_of((V, A))
    module = a_filter((V, A)).bfloat16()
    log_g = judge(module, {m: tokens.bfloat16() for m, tokens in z.items()}, masks).log_importances
    assert {values.dtype for values in log_g.values()} == {torch.float32}


@pytest.mark.parametrize("width", [1, 2, 7])
def test_sinusoids_equal_naive_loop(naive: ModuleType, width: int) -> None:
    like = torch.zeros((), dtype=torch.float64)
    wanted = torch.stack([naive.sinusoid(t, width, like) for t in range(11)])
    torch.testing.assert_close(sinusoids(11, width, like), wanted)


def test_text_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="long-term filtering needs a visual or an audio stream"):
        LongTermFilter(width=6, heads=2, modalities=(L,))
