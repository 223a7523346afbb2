"""The suite that core ships for every encoder, on every family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from torch import Tensor

from lstta_core import Encoder
from lstta_core.testing import EncoderConformance


@pytest.mark.filterwarnings("ignore:At least one mel filter:UserWarning")
@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask:UserWarning")
def test_the_family_conforms(case: Any) -> None:
    class Suite(EncoderConformance):
        def make_encoder(self) -> Encoder:
            return case.encoder(case.library())

        def reference_output(self, inputs: Mapping[str, Tensor]) -> Tensor:
            return case.reference(self.encoder, inputs)

    failed = [f"{result.name}: {result.reason}" for result in Suite().run() if not result.passed]
    assert not failed, "\n".join(failed)
