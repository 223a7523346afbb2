from __future__ import annotations

import itertools
from collections.abc import Sequence
from types import ModuleType

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lstta_core.interfaces import Modality
from lstta_core.methods.lstta.short_term import ShortTermInteraction, windows
from lstta_core.testing import synthetic_streams
from lstta_core.testing.inputs import absent

V, A, L = Modality.VISUAL, Modality.AUDIO, Modality.LANGUAGE
WITH_SIGHT_OR_SOUND = [m for n in (1, 2, 3) for m in itertools.combinations((V, A, L), n) if m != (L,)]
WIDTH, SEGMENTS = 6, 5
FEW = settings(max_examples=30, deadline=None)


def interaction(modalities: Sequence[Modality], *, window: int = 3) -> ShortTermInteraction:
    torch.manual_seed(0)
    return ShortTermInteraction(width=WIDTH, heads=3, latents=2, window=window, modalities=modalities).double()


def tokens_of(
    modalities: Sequence[Modality], *, text_segments: int = 1, segments: int = SEGMENTS, everything: bool = False
) -> tuple[dict[Modality, Tensor], dict[Modality, Tensor], dict[Modality, Tensor]]:
    """z, masks and log importances; clip 1 lacks the first modality unless everything is wanted."""
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
    masks = {m: torch.ones_like(s.mask) if everything else s.mask for m, s in streams.items()}
    z = {m: s.tokens.masked_fill(~masks[m][..., None], 0).requires_grad_() for m, s in streams.items()}
    log_g = {m: torch.randn(2, segments, dtype=torch.float64, requires_grad=True) for m in modalities if m != L}
    return z, masks, log_g


@pytest.mark.parametrize("window", [1, 3])
@pytest.mark.parametrize("text_segments", [1, 3])
@pytest.mark.parametrize("modalities", WITH_SIGHT_OR_SOUND, ids="-".join)
def test_equals_naive_loops_and_their_gradients(
    naive: ModuleType, modalities: tuple[Modality, ...], text_segments: int, window: int
) -> None:
    module = interaction(modalities, window=window)
    z, masks, log_g = tokens_of(modalities, text_segments=text_segments, segments=3)
    heard = module(z, masks, log_g)
    got = torch.cat([heard[m][masks[m]] for m in modalities])

    clips = [
        naive.short_term(module, naive.visible(z, masks, b), {m: list(g[b]) for m, g in log_g.items()})
        for b in range(2)
    ]
    reference = torch.stack([token for m in modalities for clip in clips for part in clip[m] for token in part])
    torch.testing.assert_close(got, reference)

    leaves = [*z.values(), *module.parameters(), *(log_g.values() if L in modalities else ())]
    weights = torch.randn_like(got)
    one = torch.autograd.grad((got * weights).sum(), leaves)
    two = torch.autograd.grad((reference * weights).sum(), leaves, allow_unused=True)
    for leaf, gradient, other in zip(leaves, one, two, strict=True):
        torch.testing.assert_close(gradient, torch.zeros_like(leaf) if other is None else other)


@pytest.mark.parametrize("text_segments", [1, 2])
def test_gradcheck(text_segments: int) -> None:
    module = interaction((V, A, L))
    z, masks, log_g = tokens_of((V, A, L), text_segments=text_segments, segments=2)
    masks = {m: mask[:, :, :2] for m, mask in masks.items()}
    names = [*z, *log_g]

    def outputs(*values: Tensor) -> tuple[Tensor, ...]:
        given = dict(zip(names[3:], values[3:], strict=True))
        heard = module(dict(zip(names[:3], values[:3], strict=True)), masks, given)
        return tuple(heard[m].masked_fill(~masks[m][..., None], 0) for m in heard)

    small = [*(tokens[:, :, :2].detach().requires_grad_() for tokens in z.values()), *log_g.values()]
    assert torch.autograd.gradcheck(outputs, small, fast_mode=True)


@pytest.mark.parametrize("window", [1, 3, 5])
@pytest.mark.parametrize("text_segments", [1, SEGMENTS])
def test_a_segment_sees_its_window_alone(window: int, text_segments: int) -> None:
    module = interaction((V, A, L), window=window)
    z, masks, log_g = tokens_of((V, A, L), text_segments=text_segments, everything=True)
    heard = module(z, masks, log_g)
    timed = [m for m in (V, A, L) if z[m].shape[1] == SEGMENTS]
    for listener, segment in itertools.product(timed, range(SEGMENTS)):
        # Squared, since every token hears the same constants: only what depends on the input has a gradient.
        said = heard[listener][0, segment].square().sum()
        gradients = torch.autograd.grad(said, [z[m] for m in timed], retain_graph=True)
        for source, gradient in zip(timed, gradients, strict=True):
            seen = gradient[0].flatten(1).any(1).tolist()
            near = [abs(other - segment) <= window // 2 for other in range(SEGMENTS)]
            if listener is L and source is L:
                near = [other == segment for other in range(SEGMENTS)]  # words do not hear words
            assert seen == near, f"{listener} in segment {segment} sees {source} in {seen}"


def test_text_of_the_whole_clip_sees_all_segments() -> None:
    module = interaction((V, A, L), window=1)
    z, masks, log_g = tokens_of((V, A, L), everything=True)
    said = module(z, masks, log_g)[L][0].square().sum()
    for gradient in torch.autograd.grad(said, [z[V], z[A], log_g[V], log_g[A]]):
        assert gradient[0].flatten(1).any(1).all() if gradient.ndim > 2 else gradient[0].all()
        assert not gradient[1:].any()


def test_importances_reach_the_text_alone() -> None:
    module = interaction((V, A, L))
    z, masks, log_g = tokens_of((V, A, L))
    heard = module(z, masks, log_g)
    said = heard[V].square().sum() + heard[A].square().sum()
    assert not any(
        gradient is not None and gradient.any()
        for gradient in torch.autograd.grad(said, list(log_g.values()), retain_graph=True, allow_unused=True)
    )
    without = module(z, masks, {})
    assert torch.equal(heard[V], without[V])
    assert not torch.equal(heard[L], without[L])
    zeros = {m: torch.zeros_like(g) for m, g in log_g.items()}
    assert torch.equal(module(z, masks, zeros)[L], without[L])


def test_an_unimportant_segment_is_not_heard_by_the_text() -> None:
    module = interaction((V, A, L))
    z, masks, _ = tokens_of((V, A, L), everything=True)
    quiet = {m: torch.zeros(2, SEGMENTS, dtype=torch.float64) for m in (V, A)}
    for values in quiet.values():
        values[:, 2] = -60.0
    (gradient,) = torch.autograd.grad(module(z, masks, quiet)[L].square().sum(), z[V])
    assert gradient[:, 2].abs().max() < 1e-20 < gradient[:, 1].abs().max()


def test_nothing_to_hear_gives_zeros_and_finite_gradients() -> None:
    for text_segments in (1, SEGMENTS):
        module = interaction((V, A, L))
        z, masks, log_g = tokens_of((V, A, L), text_segments=text_segments)
        nothing = {m: torch.zeros_like(mask) for m, mask in masks.items()}
        heard = module(z, nothing, log_g)
        for values in heard.values():
            assert torch.equal(values, torch.zeros_like(values))
        sum(values.square().sum() for values in heard.values()).backward()
        for leaf in (*z.values(), *log_g.values(), *module.parameters()):
            assert leaf.grad is None or not leaf.grad.isnan().any()


@FEW
@given(
    batch=st.integers(1, 3),
    segments=st.integers(1, 7),
    width=st.integers(1, 3),
    window=st.sampled_from([1, 3, 5, 9]),
    kind=st.sampled_from([torch.float64, torch.bool]),
)
def test_windows_equal_naive_loop(batch: int, segments: int, width: int, window: int, kind: torch.dtype) -> None:
    values = torch.randn(batch, segments, width).to(kind)
    got = windows(values, window)
    assert got.shape == (batch, segments, window, width)
    for t, offset in itertools.product(range(segments), range(window)):
        near = t + offset - window // 2
        wanted = values[:, near] if 0 <= near < segments else torch.zeros_like(values[:, 0])
        assert torch.equal(got[:, t, offset], wanted)


@pytest.mark.parametrize("window", [0, 2, -1])
def test_even_windows_are_refused(window: int) -> None:
    with pytest.raises(ValueError, match=f"window must be a positive odd number of segments, got {window}"):
        interaction((V,), window=window)


def test_text_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="short-term interaction needs a visual or an audio stream"):
        interaction((L,))
