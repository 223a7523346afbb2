from __future__ import annotations

from collections.abc import Mapping

from lstta_core import Adapter, Method, Modality
from lstta_core.testing import AdapterConformance, MethodConformance
from lstta_method_template.clip_mean import ClipMean, ClipMeanAdapter


class TestClipMeanAdapter(AdapterConformance):
    def make_adapter(self, widths: Mapping[Modality, int], *, last: bool) -> Adapter:
        return ClipMeanAdapter(widths=widths, width=3)


class TestClipMean(MethodConformance):
    def make_method(self) -> Method:
        return ClipMean(width=5)
