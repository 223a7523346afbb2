"""Save → load → equal outputs, for every method, with another adapter on the same encoders."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lstta_core import (
    LSTTA,
    AdapterFileError,
    TrimodalModel,
    TrimodalOutput,
    create_method,
    load_tensors,
    read_adapter,
    save_adapter,
    trained_tensors,
)
from lstta_core.testing import synthetic_inputs, toy_encoders_that_speak

METHODS = {
    **{"lstta": {"width": 6}, "bottleneck": {"width": 5}, "lavish": {"width": 4}},
    "moka": {"r": 3},
    "dgsct": {"width": 4},
    "cola": {"r": 3, "reduction": 2},
    "prompt": {"tokens": 3, "modalities": ["audio"]},  # an encoder that speaks takes none
    **{"layers": {}, "none": {}, "full": {}, "means": {}},
}


def build(name: str) -> TrimodalModel:
    torch.manual_seed(11)
    model = TrimodalModel(toy_encoders_that_speak())
    model.add_adapter("other", LSTTA(width=3))
    model.add_adapter("mine", create_method(name, model, **METHODS[name]).method)
    return model.eval()


def give(model: TrimodalModel) -> TrimodalOutput:
    inputs = {m: synthetic_inputs(e.spec, batch=2, segments=3) for m, e in model.by_modality().items()}
    with torch.no_grad():
        return model(inputs)


@pytest.mark.parametrize("name", METHODS)
def test_what_was_saved_gives_the_same_again(name: str, tmp_path: Path) -> None:
    model = build(name)
    with torch.no_grad():
        for parameter in model.trainable_parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    model.train()
    give(model)  # in training adapters measure their tokens, and that is saved too
    model.eval()
    tensors = trained_tensors(model, "encoders.")
    buffers = [name for name, _ in model.named_buffers() if name.startswith("adapters.mine.")]
    assert sorted(tensors) == sorted([*model.trainable_names(), *buffers])
    save_adapter(tmp_path / "mine", tensors, {})
    loaded = build(name)
    fresh = give(loaded)
    load_tensors(loaded, read_adapter(tmp_path / "mine"), "encoders.")
    for modality, stream in give(model).streams.items():
        assert torch.equal(give(loaded).streams[modality].tokens, stream.tokens)
    changed = any(not torch.equal(give(loaded).streams[m].tokens, fresh.streams[m].tokens) for m in fresh.streams)
    assert changed == (name != "none")


def test_another_methods_file_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    save_adapter(tmp_path / "mine", trained_tensors(build("bottleneck"), "encoders."), {})
    model = build("lstta")
    before = trained_tensors(model, "encoders.")
    with pytest.raises(AdapterFileError, match="the tensors are not those of this model"):
        load_tensors(model, read_adapter(tmp_path / "mine"), "encoders.")
    after = trained_tensors(model, "encoders.")
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
