"""Every family against its own library: the frozen output, adapters attached, in bf16, and gradients through it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from lstta_core import LSTTA, AudioSpec, Encoder, TrimodalModel
from lstta_core.testing import synthetic_inputs


@pytest.fixture(scope="module")
def encoder(case: Any) -> Encoder:
    return case.encoder(case.library()).requires_grad_(False)


@pytest.fixture(scope="module")
def inputs(encoder: Encoder) -> dict[str, Tensor]:
    spec = encoder.spec
    ragged = not (isinstance(spec, AudioSpec) and not spec.padding_invariant)
    return synthetic_inputs(spec, batch=3, segments=5, text_segments=2, ragged=ragged)


def run(encoder: Encoder, inputs: Mapping[str, Tensor]) -> Tensor:
    with torch.no_grad():
        state = encoder.embed(inputs)
        for index in range(encoder.depth):
            state = encoder.run_block(index, state)
        return encoder.finish(state)


def apart(one: Tensor, other: Tensor, mask: Tensor | None = None) -> float:
    """The largest difference in valid tokens."""
    assert one.shape == other.shape
    differences = (one - other).abs().amax(-1)
    return (differences if mask is None else differences[mask]).max().item()


def test_output_equals_the_library(case: Any, encoder: Encoder, inputs: dict[str, Tensor]) -> None:
    ours, theirs = run(encoder, inputs), case.reference(encoder, inputs)
    assert ours.std() > 0.05, "outputs of nearly one value would compare equal whatever happened"
    with torch.no_grad():
        valid = encoder.embed(inputs).mask
    # Tokens under a false mask mean nothing; where a merging changed their number all are compared.
    mask = valid if valid.shape == ours.shape[:2] else None
    assert apart(ours, theirs, mask) <= 1e-6


def test_output_equals_the_library_in_bfloat16(case: Any, inputs: dict[str, Tensor]) -> None:
    encoder = case.encoder(case.library().to(torch.bfloat16)).requires_grad_(False)
    ours, theirs = run(encoder, inputs), case.reference(encoder, inputs)
    assert ours.dtype == torch.bfloat16
    with torch.no_grad():
        valid = encoder.embed(inputs).mask
    mask = valid if valid.shape == ours.shape[:2] else None
    # bf16 has 8 bits: two roundings of the largest value.
    assert apart(ours, theirs, mask) <= 2**-7 * max(1.0, theirs.abs().max().item())


def test_fresh_adapters_change_nothing(case: Any, encoder: Encoder, inputs: dict[str, Tensor]) -> None:
    model = TrimodalModel({encoder.modality: encoder})
    model.add_adapter("fresh", LSTTA(width=8, heads=2, latents=3))
    with torch.no_grad():
        adapted = model({encoder.modality: inputs}).streams[encoder.modality]
        with model.disabled():
            frozen = model({encoder.modality: inputs}).streams[encoder.modality]
    assert torch.equal(adapted.tokens, frozen.tokens)


def test_gradients_reach_the_first_adapter_through_all_later_blocks(
    case: Any, encoder: Encoder, inputs: dict[str, Tensor]
) -> None:
    model = TrimodalModel({encoder.modality: encoder})
    model.add_adapter("first", LSTTA(width=8, heads=2, latents=3))
    output = model({encoder.modality: inputs})
    stream = output.streams[encoder.modality]
    weights = torch.randn(stream.tokens.shape, generator=torch.Generator().manual_seed(0))
    (stream.tokens * weights * stream.mask[..., None]).sum().backward()
    gradient = model.adapters["first"]["1"].up[encoder.modality].weight.grad
    assert gradient is not None
    assert gradient.isfinite().all()
    assert (gradient.abs().amax(1) > 0).all(), "some channel of the first stage gets no gradient"


def test_the_library_uses_sdpa_where_the_architecture_has_it(case: Any, encoder: Encoder) -> None:
    model: Any = encoder.model
    assert model.config._attn_implementation == ("sdpa" if model._supports_sdpa else "eager")
