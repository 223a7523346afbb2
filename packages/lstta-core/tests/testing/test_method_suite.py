"""The suite passes on LSTTA, and each of its checks fails on a method that breaks what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from torch import nn

from lstta_core.interfaces import Adapter, Encoder, EncoderChange, Method, Modality, Stage, Streams
from lstta_core.methods.lstta.adapter import LSTTA, LSTTAAdapter
from lstta_core.methods.lstta.plan import Plan
from lstta_core.testing import MethodConformance, run_checks


class TestLSTTA(MethodConformance):
    def make_method(self) -> Method:
        return LSTTA(width=6, heads=3)


class ChangesEncoders(LSTTA):
    """Leaves a bias of the encoders changed."""

    def prepare(self, encoders: Mapping[Modality, Encoder]) -> EncoderChange:
        _a_bias(encoders).data.add_(1)
        return EncoderChange()


class Leaks(LSTTA):
    """Trains a bias that it does not name."""

    def prepare(self, encoders: Mapping[Modality, Encoder]) -> EncoderChange:
        _a_bias(encoders).requires_grad_(True)
        return EncoderChange()


class Drifts(LSTTA):
    """Its adapter changes a bias of the encoders in each forward pass of training."""

    def prepare(self, encoders: Mapping[Modality, Encoder]) -> EncoderChange:
        self.bias = _a_bias(encoders)
        return EncoderChange()

    def adapter(self, stage: Stage) -> Adapter:
        adapter = super().adapter(stage)
        adapter.register_forward_hook(self._drift)
        return adapter

    def _drift(self, module: nn.Module, *_: object) -> None:
        if module.training:
            self.bias.data = self.bias.data + 0.1


class Dead(LSTTA):
    """Its adapters have a parameter that nothing reads."""

    def adapter(self, stage: Stage) -> Adapter:
        adapter = super().adapter(stage)
        assert isinstance(adapter, LSTTAAdapter)
        adapter.dead = nn.Parameter(torch.zeros(2))
        return adapter


class ReadsAnswers(LSTTA):
    """Its adapters take an answer for more of the prompt."""

    def adapter(self, stage: Stage) -> Adapter:
        adapter = super().adapter(stage)
        assert isinstance(adapter, LSTTAAdapter)
        made = adapter.plan

        def plan(streams: Streams) -> Plan | None:
            return made({m: replace(s, mask=s.changeable, answer=None) for m, s in streams.items()})

        adapter.plan = plan
        return adapter


class SpeaksOtherwise(LSTTA):
    """Its adapters leave tokens that come later as they are."""

    def adapter(self, stage: Stage) -> Adapter:
        adapter = super().adapter(stage)
        adapter.speak = lambda stream, heard: stream
        return adapter


def _a_bias(encoders: Mapping[Modality, Encoder]) -> nn.Parameter:
    return encoders[Modality.AUDIO].get_parameter("norm.bias")


BROKEN: dict[type[LSTTA], tuple[str, ...]] = {
    ChangesEncoders: ("test_fresh_model_equals_the_frozen_one",),
    Leaks: ("test_exactly_the_named_parameters_train",),
    Drifts: ("test_training_changes_nothing_else", "test_disabled_model_equals_the_frozen_one"),
    Dead: ("test_every_trainable_parameter_learns",),
    ReadsAnswers: ("test_an_answer_is_read_by_later_tokens_alone",),
    SpeaksOtherwise: ("test_an_answer_may_come_token_by_token",),
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda kind: kind.__name__)
def test_broken_method_fails_its_checks(broken: type[LSTTA]) -> None:
    class Suite(MethodConformance):
        def make_method(self) -> Method:
            return broken(width=6, heads=3)

    results = {result.name: result for result in Suite().run()}
    for name in BROKEN[broken]:
        assert not results[name].passed


def test_every_check_has_a_method_that_breaks_it() -> None:
    checks = {name for name in dir(MethodConformance) if name.startswith("test_")}
    assert checks == {name for names in BROKEN.values() for name in names}


def test_run_checks_takes_a_method_and_its_adapter() -> None:
    results = run_checks(LSTTA(width=6, heads=3))
    assert all(result.passed for result in results), results
    names = {result.name for result in results}
    assert {"test_training_changes_nothing_else", "test_masked_tokens_are_left_alone"} <= names
