"""What stands in front: the last block leaves its outcome out, and nothing that is read changes."""

from __future__ import annotations

import pytest
import torch

from lstta_backbone_tiny.encoders import Tiny, TinyAudio, TinyVisual
from lstta_core.interfaces import Encoder, Modality
from lstta_core.lockstep import TrimodalModel
from lstta_core.methods.prompt import Prompt
from lstta_core.testing.inputs import synthetic_inputs


@pytest.mark.parametrize("adapted", [2, 4])
def test_values_and_gradients_are_those_of_whole_blocks(adapted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    sight = TinyVisual(width=28, depth=4, heads=4, size=(16, 32), patch=16)
    sound = TinyAudio(width=20, depth=4, heads=4)
    model = TrimodalModel({Modality.VISUAL: sight, Modality.AUDIO: sound}, stages=4, adapted=adapted)
    model.add_adapter("a", Prompt(tokens=7))
    inputs = {m: synthetic_inputs(e.spec, batch=3, segments=5) for m, e in model.by_modality().items()}
    model.double()
    found = []
    for behind in (Tiny.last_block_behind, Encoder.last_block_behind):
        monkeypatch.setattr(Tiny, "last_block_behind", behind)
        streams = model(inputs).streams
        loss = sum(s.tokens[s.mask].sin().sum() for s in streams.values())
        gradients = torch.autograd.grad(loss, model.trainable_parameters())
        assert all(g.any() for g in gradients)
        found.append([*(s.tokens[s.mask] for s in streams.values()), *gradients])
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-9, atol=1e-9)
