"""What every method must keep once a model has it: the frozen model at the start, and nothing trained but its own."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import ClassVar
from unittest import SkipTest

import torch
from torch import Tensor

from lstta_core.interfaces import Encoder, Method, Modality, TrimodalOutput
from lstta_core.lockstep import TrimodalModel
from lstta_core.testing.inputs import synthetic_inputs
from lstta_core.testing.speaker_checks import require_no_leak, require_same_spoken, with_answers
from lstta_core.testing.suite import Conformance, require
from lstta_core.testing.toy_encoders import toy_encoders
from lstta_core.testing.toy_speaker import ToySpeaker, toy_encoders_that_speak


class MethodConformance(Conformance):
    """Checks of a method. A subclass gives ``make_method``, and ``make_encoders`` where the method needs others.

    Attributes:
        tolerance: how far two ways to the same logits may be apart, relative to the largest (at least 1).
    """

    tolerance: ClassVar[float] = 1e-5

    def make_method(self) -> Method:
        """The method under test."""
        raise NotImplementedError

    def make_encoders(self) -> Mapping[Modality, Encoder]:
        """Encoders to try it on; the language encoder speaks where the method puts something before texts that do."""
        encoders = toy_encoders()
        before = self.make_method().preface({m: encoder.widths[-1] for m, encoder in encoders.items()})
        return encoders if before is None else toy_encoders_that_speak()

    def make_speaker(self) -> Encoder | None:
        """A language encoder that speaks, in place of the one of :meth:`make_encoders`; None to try none."""
        return ToySpeaker()

    def make_inputs(self, encoders: Mapping[Modality, Encoder]) -> dict[Modality, dict[str, Tensor]]:
        """A batch for them."""
        return {m: synthetic_inputs(encoder.spec) for m, encoder in encoders.items()}

    def test_fresh_model_equals_the_frozen_one(self) -> None:
        encoders = self.make_encoders()
        inputs = self.make_inputs(encoders)
        frozen = TrimodalModel(copy.deepcopy(dict(encoders)))
        model = self._model(encoders)
        if model.preface is not None:
            raise SkipTest("a fresh preface says nothing, and stands there all the same")
        model.requires_grad_(False)  # torch picks other kernels, other last bits, for weights that train
        with torch.no_grad():
            one, two = frozen(inputs), model(inputs)
        for modality, stream in one.streams.items():
            same = torch.equal(stream.tokens, two.streams[modality].tokens)
            require(same, f"a fresh model's {modality} tokens differ from the frozen model's")

    def test_disabled_model_equals_the_frozen_one(self) -> None:
        encoders = self.make_encoders()
        inputs = self.make_inputs(encoders)
        frozen = TrimodalModel(copy.deepcopy(dict(encoders)))
        model = self._model(encoders)
        _train(model, inputs, steps=2)
        with torch.no_grad(), model.disabled():
            one, two = frozen(inputs), model(inputs)
        for modality, stream in one.streams.items():
            same = torch.equal(stream.tokens, two.streams[modality].tokens)
            require(same, f"without its adapters the trained model's {modality} tokens differ from the frozen model's")

    def test_exactly_the_named_parameters_train(self) -> None:
        model = self._model(self.make_encoders())
        training = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
        named = set(model.trainable_names())
        unnamed, frozen = sorted(training - named)[:3], sorted(named - training)[:3]
        require(training == named, f"training but not named: {unnamed}; named but frozen: {frozen}")

    def test_training_changes_nothing_else(self) -> None:
        encoders = self.make_encoders()
        model = self._model(encoders)
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        _train(model, self.make_inputs(encoders), steps=2)
        named = set(model.trainable_names())
        for name, tensor in model.state_dict().items():
            if name.startswith("encoders.") and name not in named:
                require(torch.equal(tensor, before[name]), f"{name} changed, and the method does not name it")

    def test_every_trainable_parameter_learns(self) -> None:
        encoders = self.make_encoders()
        model = self._model(encoders)
        self.gradients_reach(model, self.make_inputs(encoders), steps=2)

    def gradients_reach(
        self, model: TrimodalModel, inputs: Mapping[Modality, dict[str, Tensor]], *, steps: int
    ) -> None:
        """Fail unless every parameter that trains has a gradient by step ``steps`` of plain SGD."""
        _train(model, inputs, steps=steps)
        parameters = dict(model.named_parameters())
        without = [name for name in model.trainable_names() if not _has_gradient(parameters[name])]
        require(not without, f"no gradient by step {steps}: {without}")

    def test_an_answer_is_read_by_later_tokens_alone(self) -> None:
        model, inputs = self._trained_to_speak()
        require_no_leak(model, inputs)

    def test_an_answer_may_come_token_by_token(self) -> None:
        model, inputs = self._trained_to_speak()
        require_same_spoken(model, inputs, self.tolerance)

    def _trained_to_speak(self) -> tuple[TrimodalModel, dict[Modality, dict[str, Tensor]]]:
        """A model whose adapters are no longer the identity, and a batch with answers; a skip without a speaker."""
        speaker = self.make_speaker()
        if speaker is None:
            raise SkipTest("the method is tried without an encoder that speaks")
        encoders = {**self.make_encoders(), Modality.LANGUAGE: speaker}
        inputs = with_answers(self.make_inputs(encoders))
        model = self._model(encoders)
        _train(model, inputs, steps=2)
        return model, inputs

    def _model(self, encoders: Mapping[Modality, Encoder]) -> TrimodalModel:
        model = TrimodalModel(encoders)
        model.add_adapter("checked", self.make_method())
        return model


def _has_gradient(parameter: Tensor) -> bool:
    return parameter.grad is not None and bool(parameter.grad.any())


def _train(model: TrimodalModel, inputs: Mapping[Modality, Mapping[str, Tensor]], *, steps: int) -> None:
    """So many steps of SGD on what a readout reads; the gradients of the last one stay."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not parameters:
        return
    optimizer = torch.optim.SGD(parameters, lr=0.1)
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        _loss(model(inputs)).backward()
        optimizer.step()
    model.eval()


def _loss(output: TrimodalOutput) -> Tensor:
    random = torch.Generator().manual_seed(1)
    total = torch.zeros(())
    for stream in output.streams.values():
        weights = torch.randn(stream.tokens.shape, generator=random)
        total = total + (stream.tokens * weights * stream.mask[..., None]).mean()
    for importances in output.importances[-1:]:
        for importance in importances.values():
            total = total + (importance.log() * torch.randn(importance.shape, generator=random)).mean()
    return total
