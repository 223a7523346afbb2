"""LoRA's products, inside the encoders, are counted with the encoders'."""

from __future__ import annotations

import torch
from torch import Tensor

from lstta_core.interfaces import Modality, TrimodalOutput
from lstta_core.lockstep import TrimodalModel
from lstta_core.profiling import Macs, count_macs
from lstta_core.testing.inputs import synthetic_inputs
from lstta_core.testing.torch_counter import macs_by_torch
from lstta_core.testing.toy_encoders import toy_encoders
from lstta_method_peft.lora import LoRA

RANK, WORDS = 3, 13


def loss(output: TrimodalOutput) -> Tensor:
    return torch.stack([stream.tokens.square().mean() for stream in output.streams.values()]).sum()


def test_macs_are_what_torch_counts_and_a_rank_costs_what_it_should() -> None:
    model = TrimodalModel(toy_encoders())
    model.add_adapter("mine", LoRA(r=RANK))
    inputs = {
        m: synthetic_inputs(encoder.spec, batch=1, ragged=False, text_length=WORDS)
        for m, encoder in model.by_modality().items()
    }
    counted = count_macs(model, inputs, loss=loss)
    assert counted.total == macs_by_torch(lambda: loss(model(inputs)))
    with model.disabled():
        frozen = count_macs(model, inputs, loss=loss)
    text, blocks, width = (f"{Modality.LANGUAGE} encoder",), 2, 6
    added = counted.parts[text].forward - frozen.parts[text].forward
    assert added == blocks * 2 * WORDS * 2 * RANK * width  # of queries and values, down and up
    assert frozen.total == Macs(frozen.total.forward, 0)
