from __future__ import annotations

from types import ModuleType

import pytest
import torch

from lstta_core.adapter_set import encoder_digest
from lstta_core.lockstep import TrimodalModel
from lstta_core.methods.full import FullFineTuning


def digests(model: TrimodalModel) -> dict[str, str]:
    return {str(m): encoder_digest(encoder) for m, encoder in model.by_modality().items()}


def train_a_step(model: TrimodalModel, inputs: object) -> None:
    optimizer = torch.optim.SGD(model.trainable_parameters(), lr=0.1)
    sum(stream.tokens.float().sin().sum() for stream in model(inputs).streams.values()).backward()
    optimizer.step()
    optimizer.zero_grad()


def test_every_parameter_of_the_encoders_trains_and_nothing_else(small: ModuleType) -> None:
    model = TrimodalModel(small.encoders())
    model.add_adapter("all", FullFineTuning())
    assert model.trainable_names() == sorted(name for name, _ in model.named_parameters())
    assert all(name.startswith("encoders.") for name in model.trainable_names())
    assert not model.prefix_is_frozen
    model.train()
    assert not any(module.training for module in model.encoders.modules())


@pytest.mark.parametrize("frozen_dtype", [None, torch.bfloat16])
def test_disabled_gives_the_frozen_model_back_and_back_again(
    small: ModuleType, frozen_dtype: torch.dtype | None
) -> None:
    inputs = small.inputs()
    model = TrimodalModel(small.encoders(), frozen_dtype=frozen_dtype)
    frozen, before = digests(model), model(inputs)
    model.add_adapter("all", FullFineTuning())
    assert digests(model) == frozen
    train_a_step(model, inputs)
    trained, after = digests(model), model(inputs)
    assert not set(trained.values()) & set(frozen.values())
    with model.disabled():
        assert digests(model) == frozen
        for modality, stream in model(inputs).streams.items():
            assert torch.equal(stream.tokens, before.streams[modality].tokens)
            assert stream.tokens.dtype == (frozen_dtype or torch.float32)
    assert digests(model) == trained
    for modality, stream in model(inputs).streams.items():
        assert torch.equal(stream.tokens, after.streams[modality].tokens)
    assert {parameter.dtype for parameter in model.trainable_parameters()} == {torch.float32}
    model.delete_adapter("all")
    assert digests(model) == frozen


def test_a_backward_pass_survives_disabling_in_between(small: ModuleType) -> None:
    """As a loss does that compares with the frozen model."""
    inputs = small.inputs()
    gradients = []
    for between in (False, True):
        model = TrimodalModel(small.encoders(), frozen_dtype=torch.bfloat16)
        model.add_adapter("all", FullFineTuning())
        loss = sum(stream.tokens.float().sin().sum() for stream in model(inputs).streams.values())
        if between:
            with model.disabled():
                model(inputs)
        loss.backward()
        gradients.append([parameter.grad for parameter in model.trainable_parameters()])
    for plain, after in zip(*gradients, strict=True):
        assert (plain is None) == (after is None)
        if plain is not None:
            assert torch.equal(plain, after)


@pytest.mark.parametrize("frozen_dtype", [None, torch.bfloat16])
def test_blocks_behind_the_prefix_train_from_its_states_as_from_inputs(
    small: ModuleType, frozen_dtype: torch.dtype | None
) -> None:
    inputs = small.inputs()
    model = TrimodalModel(small.encoders(), adapted=2, frozen_dtype=frozen_dtype)
    last = {m: encoder.depth - 1 for m, encoder in model.by_modality().items()}
    model.add_adapter("last", FullFineTuning(target={m: rf"blocks\.{index}\..*" for m, index in last.items()}))
    expected = [
        f"encoders.{m}.blocks.{index}.{name}"
        for m, index in last.items()
        for name, _ in model.by_modality()[m].get_submodule(f"blocks.{index}").named_parameters()
    ]
    assert model.trainable_names() == sorted(expected)
    assert model.prefix_is_frozen
    with torch.no_grad():
        states = {m: model.prefix({m: inputs[m]}, [m])[m] for m in inputs}
    stored = {m: {"state": states[m], "present": inputs[m]["present"]} for m in inputs}
    gradients = []
    for given in (inputs, stored):
        sum(stream.tokens.float().sin().sum() for stream in model(given).streams.values()).backward()
        gradients.append([parameter.grad for parameter in model.trainable_parameters()])
        model.zero_grad()
    for one, two in zip(*gradients, strict=True):
        assert one is not None
        assert one.any()
        assert torch.equal(one, two)


def test_a_block_within_the_prefix_is_not_frozen(small: ModuleType) -> None:
    model = TrimodalModel(small.encoders(), adapted=2)
    model.add_adapter("first", FullFineTuning(target=r"blocks\.0\..*"))
    assert not model.prefix_is_frozen


def test_a_target_that_matches_nothing_is_an_error(small: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"no parameter of the visual encoder has a name that matches target='x'"):
        TrimodalModel(small.encoders()).add_adapter("none", FullFineTuning(target="x"))
    with pytest.raises(ValueError, match=r"full: parameter: target has an expression for visual, none for audio"):
        TrimodalModel(small.encoders()).add_adapter("none", FullFineTuning(target={"visual": ".*"}))
