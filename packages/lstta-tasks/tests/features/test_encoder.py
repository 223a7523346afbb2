"""Encoders of features pass what every encoder must keep, and adapters are bound to what made their features."""

from __future__ import annotations

import pytest
import torch

from lstta_core.adapter_set import encoder_digest
from lstta_core.input_digest import input_digest
from lstta_core.interfaces import Encoder, Modality
from lstta_core.lockstep import TrimodalModel
from lstta_core.methods.lstta.adapter import LSTTA
from lstta_core.plugins import installed_plugins
from lstta_core.testing import EncoderConformance
from lstta_core.testing.inputs import synthetic_inputs
from lstta_tasks.features.encoder import PrecomputedAudio, PrecomputedVisual


class TestVisual(EncoderConformance):
    def make_encoder(self) -> Encoder:
        return PrecomputedVisual(path="nowhere.npz", width=7, depth=3, tokens=5)


class TestAudio(EncoderConformance):
    def make_encoder(self) -> Encoder:
        return PrecomputedAudio(path="nowhere.npz", width=11)


@pytest.mark.parametrize("modality", Modality)
def test_one_a_modality(modality: Modality) -> None:
    made = installed_plugins().create("encoder", f"precomputed-{modality}", path="nowhere.npz", width=3)
    assert made.modality is modality


def test_an_adapter_is_bound_to_what_made_the_features_and_not_to_their_file() -> None:
    one, other_file, other_maker = (
        PrecomputedVisual(path=path, width=7, of=of) for path, of in (("a", "x"), ("b", "x"), ("a", "y"))
    )
    assert encoder_digest(one) == encoder_digest(other_file) != encoder_digest(other_maker)
    assert input_digest(one.spec) == input_digest(other_file.spec) != input_digest(other_maker.spec)
    assert input_digest(one.spec) != input_digest(PrecomputedVisual(path="a", width=7, tokens=2, of="x").spec)


def test_as_many_adapters_stand_behind_features_as_there_are_stages() -> None:
    encoder = PrecomputedVisual(path="nowhere.npz", width=7, depth=3, tokens=5)
    model = TrimodalModel({Modality.VISUAL: encoder})
    model.add_adapter("a", LSTTA(width=8, heads=2))
    assert [stage.index for stage in model.adapted_stages] == [1, 2, 3]
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter += 0.1 if name.startswith("adapters") else 0
    inputs = {Modality.VISUAL: synthetic_inputs(encoder.spec)}
    adapted = model(inputs).streams[Modality.VISUAL].tokens
    with model.disabled():
        plain = model(inputs).streams[Modality.VISUAL].tokens
    assert torch.equal(plain, inputs[Modality.VISUAL]["features"])
    assert not torch.allclose(adapted, plain)


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="width: a whole number, 1 or more is wanted, got 0"):
        PrecomputedVisual(path="a", width=0)
    with pytest.raises(ValueError, match="seconds: how long a step lasts must be more than 0"):
        PrecomputedVisual(path="a", width=3, seconds=0)
