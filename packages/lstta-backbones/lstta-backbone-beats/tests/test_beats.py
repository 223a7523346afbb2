"""BEATs beside loops, on random weights, and the suite that core ships for every encoder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from lstta_backbone_beats.encoder import beats
from lstta_backbone_beats.fbank import fbank
from lstta_core import Encoder
from lstta_core.testing import EncoderConformance

Write = Callable[..., Path]


def run(encoder: Encoder, inputs: dict[str, Tensor]) -> tuple[list[Tensor], Tensor, Tensor]:
    """The tokens of each state, the mask, and the segment of each token."""
    with torch.no_grad():
        state = encoder.embed(inputs)
        tokens = [state.tokens]
        for index in range(encoder.depth):
            state = encoder.run_block(index, state)
            tokens.append(state.tokens)
        assert torch.equal(encoder.finish(state), state.tokens)
    return tokens, state.mask, state.layout.segment


def sound_of(*lengths: int, longest: int) -> Tensor:
    random = torch.Generator().manual_seed(0)
    sound = torch.randint(-9000, 9000, (len(lengths), longest), dtype=torch.int16, generator=random)
    return sound * (torch.arange(longest) < torch.tensor(lengths)[:, None])


@pytest.mark.parametrize("kind", ["noise", "tone", "quiet", "silence"])
def test_filter_banks_are_those_of_loops(naive: ModuleType, kind: str) -> None:
    time = torch.arange(2011)
    sound = {
        "noise": torch.randint(-20000, 20000, (2011,), generator=torch.Generator().manual_seed(0)),
        "tone": (8000 * torch.sin(2 * torch.pi * 440 * time / 16000)).round(),
        "quiet": torch.randint(-3, 4, (2011,), generator=torch.Generator().manual_seed(0)),
        "silence": torch.zeros(2011),
    }[kind].short()
    tolerance = {"tone": 2e-3}.get(kind, 2e-5)  # float32 far below a pure tone; of values from -2.4 to 0.8
    np.testing.assert_allclose(fbank(sound[None])[0].numpy(), naive.banks(sound.numpy()), atol=tolerance)


@pytest.mark.parametrize(
    ("cfg", "norm"),
    [
        ({}, "weight_norm"),
        ({"deep_norm": False, "conv_pos": 5, "conv_bias": True}, "weight_norm"),
        ({"embed_dim": 12}, "parametrizations"),
    ],
    ids=["as published", "no DeepNorm, odd kernel", "no projection, torch's newer norm"],
)
def test_it_is_the_loops_state_by_state(checkpoint: Write, naive: ModuleType, cfg: dict[str, Any], norm: str) -> None:
    """Sounds of different lengths in one batch, each beside the loops on it alone."""
    changes: dict[str, Tensor | None] = {"predictor.weight": torch.ones(7, 12), "predictor.bias": torch.ones(7)}
    if cfg.get("conv_bias"):
        changes["patch_embedding.bias"] = torch.randn(5)
    if cfg.get("embed_dim") == 12:
        changes |= {"post_extract_proj.weight": None, "post_extract_proj.bias": None}
    path = checkpoint(cfg, changes)
    held = torch.load(path, weights_only=True)
    weights = {name: tensor.double().numpy() for name, tensor in held["model"].items()}
    if norm == "parametrizations":
        for old, new in (("weight_g", "original0"), ("weight_v", "original1")):
            tensor = held["model"].pop(f"encoder.pos_conv.0.{old}")
            held["model"][f"encoder.pos_conv.0.parametrizations.weight.{new}"] = tensor
        torch.save(held, path)
    encoder = beats(model=path, span="segment")
    lengths = (7023, 5360, 5359, 100)
    sound = sound_of(*lengths, longest=8100)
    tokens, mask, segment = run(encoder, {"sound": sound[:, None], "length": torch.tensor(lengths)[:, None]})
    assert tokens[0].shape == (4, 24, 12)
    assert mask.sum(1).tolist() == [16, 16, 8, 0], "whole patches alone: 41, 32, 31 and no frames"
    assert torch.equal(segment >= 0, mask)
    for row, length in enumerate(lengths[:-1]):
        expected = naive.states(sound[row, :length].numpy(), weights, held["cfg"])
        for ours, theirs in zip(tokens, expected, strict=True):
            np.testing.assert_allclose(ours[row][mask[row]].numpy(), theirs, atol=5e-5)


def test_far_places_share_buckets(checkpoint: Write, naive: ModuleType) -> None:
    encoder = beats(model=checkpoint()).network.encoder
    bias = encoder.bias(101)
    table = encoder.relative_attention_bias.weight
    for query in range(0, 101, 4):
        for key in range(101):
            assert torch.equal(bias[:, query, key], table[naive.bucket(key - query, 20, 37)])


def test_a_clip_is_heard_end_to_end(checkpoint: Write) -> None:
    """As one sound of all that is valid; a token belongs to the segment that sounds at its centre."""
    encoder, whole = beats(model=checkpoint()), beats(model=checkpoint(), span="segment")
    lengths = torch.tensor([[4000, 1500, 3000], [4000, 0, 0]])
    sound = sound_of(*lengths.flatten().tolist(), longest=4000).view(2, 3, 4000)
    tokens, mask, segment = run(encoder, {"sound": sound, "length": lengths})
    assert mask.sum(1).tolist() == [24, 8]
    joined = torch.cat([sound[0, i, :n] for i, n in enumerate(lengths[0].tolist())])
    alone, _, _ = run(whole, {"sound": joined[None, None], "length": torch.tensor([[8500]])})
    assert (tokens[-1][0, :24] - alone[-1][0]).abs().max() < 1e-5
    centres = [1400, 3960, 6520]
    assert segment[0, :24].view(3, 8)[:, 0].tolist() == [0 if c < 4000 else 1 if c < 5500 else 2 for c in centres]
    assert (segment[0, 24:] == -1).all()
    assert (segment[1, 8:] == -1).all()


@pytest.mark.parametrize("span", ["segment", "clip"])
def test_it_conforms(checkpoint: Write, span: Any) -> None:
    path = checkpoint()

    class Suite(EncoderConformance):
        def make_encoder(self) -> Encoder:
            return beats(model=path, span=span)

    failed = [f"{result.name}: {result.reason}" for result in Suite().run() if not result.passed]
    assert not failed, "\n".join(failed)


def test_what_does_not_fit_is_refused(checkpoint: Write) -> None:
    path = checkpoint()
    with pytest.raises(ValueError, match="span must be 'segment' or 'clip', got 'clips'"):
        beats(model=path, span="clips")  # type: ignore[arg-type]
    sound = torch.zeros(1, 2, 2799, dtype=torch.int16)
    with pytest.raises(ValueError, match=r"at least 2800 samples \(175 ms\) a row, got 2799: use longer segments"):
        beats(model=path, span="segment").embed({"sound": sound, "length": torch.full((1, 2), 2799)})
