"""``run_block`` calls the module that its encoder names as the block: only that can be compiled in place."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from lstta_core import TrimodalModel
from lstta_core.testing import synthetic_inputs


def test_run_block_calls_the_module_of_its_block(case: Any) -> None:
    encoder = case.encoder(case.library())
    model = TrimodalModel({encoder.modality: encoder})
    called: list[nn.Module] = []
    blocks = [encoder.block(index) for index in range(encoder.depth)]
    for block in blocks:

        def call(*arguments: Any, block: nn.Module = block, **options: Any) -> Any:
            called.append(block)
            return block._call_impl(*arguments, **options)

        block._compiled_call_impl = call  # where torch puts what Module.compile makes
    with torch.no_grad():
        model({encoder.modality: synthetic_inputs(encoder.spec, batch=2, segments=3, ragged=False)})
    assert called == blocks
