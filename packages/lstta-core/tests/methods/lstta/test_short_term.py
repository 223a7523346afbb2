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
from lstta_core.methods.lstta.plan import make_plan
from lstta_core.methods.lstta.short_term import ShortTermInteraction, preferences
from lstta_core.methods.lstta.windows import windows
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
) -> tuple[dict[Modality, Tensor], dict[Modality, Tensor]]:
    """z and masks; clip 1 lacks the first modality unless everything is wanted."""
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
    return z, masks


def hear(
    module: ShortTermInteraction, z: dict[Modality, Tensor], masks: dict[Modality, Tensor]
) -> dict[Modality, Tensor]:
    """What the tokens of each modality hear, zeros where nothing is to be heard."""
    plan = make_plan(masks, width=WIDTH, window=module.window, latents=module.count, dtype=torch.float64)
    heard, said, _ = module(torch.cat([z[m] for m in module.timed], 2), z.get(L), plan)
    parts = dict(zip(module.timed, (heard * plan.heard).split(plan.sizes, 2), strict=True))
    return parts if said is None or plan.text is None else parts | {L: said * plan.text.heard}


@pytest.mark.parametrize("window", [1, 3])
@pytest.mark.parametrize("text_segments", [1, 3])
@pytest.mark.parametrize("modalities", WITH_SIGHT_OR_SOUND, ids="-".join)
def test_equals_naive_loops_and_their_gradients(
    naive: ModuleType, modalities: tuple[Modality, ...], text_segments: int, window: int
) -> None:
    module = interaction(modalities, window=window)
    z, masks = tokens_of(modalities, text_segments=text_segments, segments=3)
    heard = hear(module, z, masks)
    got = torch.cat([heard[m][masks[m]] for m in modalities])

    clips = [naive.short_term(module, naive.visible(z, masks, b)) for b in range(2)]
    reference = torch.stack([token for m in modalities for clip in clips for part in clip[m] for token in part])
    torch.testing.assert_close(got, reference)

    leaves = [*z.values(), *module.parameters()]
    weights = torch.randn_like(got)
    one = torch.autograd.grad((got * weights).sum(), leaves)
    two = torch.autograd.grad((reference * weights).sum(), leaves, allow_unused=True)
    for leaf, gradient, other in zip(leaves, one, two, strict=True):
        torch.testing.assert_close(gradient, torch.zeros_like(leaf) if other is None else other)


@pytest.mark.parametrize("text_segments", [1, 2])
def test_gradcheck(text_segments: int) -> None:
    module = interaction((V, A, L))
    z, masks = tokens_of((V, A, L), text_segments=text_segments, segments=2)
    masks = {m: mask[:, :, :2] for m, mask in masks.items()}

    def outputs(*values: Tensor) -> tuple[Tensor, ...]:
        heard = hear(module, dict(zip(z, values, strict=True)), masks)
        return tuple(heard[m].masked_fill(~masks[m][..., None], 0) for m in heard)

    small = [tokens[:, :, :2].detach().requires_grad_() for tokens in z.values()]
    assert torch.autograd.gradcheck(outputs, small, fast_mode=True)


@pytest.mark.parametrize("window", [1, 3, 5])
@pytest.mark.parametrize("text_segments", [1, SEGMENTS])
def test_a_segment_sees_its_window_alone(window: int, text_segments: int) -> None:
    module = interaction((V, A, L), window=window)
    z, masks = tokens_of((V, A, L), text_segments=text_segments, everything=True)
    heard = hear(module, z, masks)
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
    z, masks = tokens_of((V, A, L), everything=True)
    said = hear(module, z, masks)[L][0].square().sum()
    for gradient in torch.autograd.grad(said, [z[V], z[A]]):
        assert gradient[0].flatten(1).any(1).all()
        assert not gradient[1:].any()


def test_each_head_hears_one_place_of_the_window_at_the_start() -> None:
    middle, before, after = [-8.0, 0.0, -8.0], [0.0, -8.0, -16.0], [-16.0, -8.0, 0.0]
    assert preferences(4, 3).tolist() == [middle, before, after, middle]
    assert preferences(2, 5).tolist() == [[-16.0, -8.0, 0.0, -8.0, -16.0], [-8.0, 0.0, -8.0, -16.0, -24.0]]
    assert preferences(3, 1).tolist() == [[0.0]] * 3


def test_nothing_to_hear_gives_zeros_and_finite_gradients() -> None:
    for text_segments in (1, SEGMENTS):
        module = interaction((V, A, L))
        z, masks = tokens_of((V, A, L), text_segments=text_segments)
        nothing = {m: torch.zeros_like(mask) for m, mask in masks.items()}
        heard = hear(module, z, nothing)
        for values in heard.values():
            assert torch.equal(values, torch.zeros_like(values))
        sum(values.square().sum() for values in heard.values()).backward()
        for leaf in (*z.values(), *module.parameters()):
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
    assert got.shape == (batch, segments, width, window)
    for t, offset in itertools.product(range(segments), range(window)):
        near = t + offset - window // 2
        wanted = values[:, near] if 0 <= near < segments else torch.zeros_like(values[:, 0])
        assert torch.equal(got[:, t, :, offset], wanted)


@pytest.mark.parametrize("window", [0, 2, -1])
def test_even_windows_are_refused(window: int) -> None:
    with pytest.raises(ValueError, match=f"window must be a positive odd number of segments, got {window}"):
        interaction((V,), window=window)


def test_text_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="short-term interaction needs a visual or an audio stream"):
        interaction((L,))
