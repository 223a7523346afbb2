"""The peers pass the suites that every plugin author's adapters and methods must pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from lstta_core.interfaces import Adapter, AdapterOutput, Method, Modality, Stage, Streams
from lstta_core.lockstep import TrimodalModel
from lstta_core.methods.bottleneck import Bottleneck, BottleneckAdapter
from lstta_core.methods.cola import CoLA
from lstta_core.methods.dgsct import DGSCT, DGSCTAdapter
from lstta_core.methods.full import FullFineTuning
from lstta_core.methods.lavish import Lavish, LavishAdapter
from lstta_core.methods.layers import Layers
from lstta_core.methods.means import Means
from lstta_core.methods.moka import MokA, MokAAdapter
from lstta_core.methods.none import NoAdapter
from lstta_core.testing.adapter_suite import AdapterConformance
from lstta_core.testing.method_suite import MethodConformance
from lstta_core.testing.run import run_checks


class TestBottleneckAdapter(AdapterConformance):
    def make_adapter(self, widths: Mapping[Modality, int], *, last: bool) -> Adapter:
        return BottleneckAdapter(widths=widths, width=3)


class TestMokAAdapter(AdapterConformance):
    def make_adapter(self, widths: Mapping[Modality, int], *, last: bool) -> Adapter:
        return MokAAdapter(widths=widths, r=3)


class TestMokA(MethodConformance):
    def make_method(self) -> Method:
        return MokA(r=3)


class TestCoLA(MethodConformance):
    def make_method(self) -> Method:
        return CoLA(r=3, reduction=2)


GATES = "as published, both gates are zero at the start: what is behind them learns from the third step"


class TestLavishAdapter(AdapterConformance):
    skip_checks: ClassVar[dict[str, str]] = {"test_gradients_reach_every_parameter": GATES}

    def make_adapter(self, widths: Mapping[Modality, int], *, last: bool) -> Adapter:
        return LavishAdapter(widths=widths, width=3, groups=1)

    def test_gradients_reach_every_parameter(self) -> None:
        self.gradients_reach(steps=3, last=True, text_segments=1)


class TestDGSCTAdapter(AdapterConformance):
    skip_checks: ClassVar[dict[str, str]] = {"test_gradients_reach_every_parameter": GATES}

    def make_adapter(self, widths: Mapping[Modality, int], *, last: bool) -> Adapter:
        return DGSCTAdapter(widths=widths, last=last, width=11, groups=1)

    def test_gradients_reach_every_parameter(self) -> None:
        for last in (False, True):
            self.gradients_reach(steps=3, last=last, text_segments=1)


class InARow(Adapter):
    """The adapters of two stages, the second reading what the first carries."""

    def __init__(self, widths: Mapping[Modality, int]) -> None:
        super().__init__()
        self.first = Layers().adapter(Stage(1, 2, widths))
        self.second = Layers().adapter(Stage(2, 2, widths))

    def forward(self, streams: Streams) -> AdapterOutput:
        output: AdapterOutput = self.second(self.first(streams).streams)
        return output


class TestLayersAdapters(AdapterConformance):
    def make_adapter(self, widths: Mapping[Modality, int], *, last: bool) -> Adapter:
        return InARow(widths)


@pytest.mark.parametrize("method", [Layers(), Means()], ids=type)
def test_they_pass_the_checks_that_the_command_makes(method: Method) -> None:
    assert not [result for result in run_checks(method) if not result.passed]


class TestLayers(MethodConformance):
    def make_method(self) -> Method:
        return Layers()


class TestBottleneck(MethodConformance):
    def make_method(self) -> Method:
        return Bottleneck(width=3)


class TestLavish(MethodConformance):
    skip_checks: ClassVar[dict[str, str]] = {"test_every_trainable_parameter_learns": GATES}

    def make_method(self) -> Method:
        return Lavish(width=3, groups=1)

    def test_every_trainable_parameter_learns(self) -> None:
        encoders = self.make_encoders()
        model = TrimodalModel(encoders)
        model.add_adapter("checked", self.make_method())
        self.gradients_reach(model, self.make_inputs(encoders), steps=3)


class TestDGSCT(MethodConformance):
    skip_checks: ClassVar[dict[str, str]] = {"test_every_trainable_parameter_learns": GATES}

    def make_method(self) -> Method:
        return DGSCT(width=11, groups=1)

    def test_every_trainable_parameter_learns(self) -> None:
        encoders = self.make_encoders()
        model = TrimodalModel(encoders)
        model.add_adapter("checked", self.make_method())
        self.gradients_reach(model, self.make_inputs(encoders), steps=3)


class TestFull(MethodConformance):
    def make_method(self) -> Method:
        return FullFineTuning()


class TestMeans(MethodConformance):
    def make_method(self) -> Method:
        return Means()


class TestNone(MethodConformance):
    def make_method(self) -> Method:
        return NoAdapter()
