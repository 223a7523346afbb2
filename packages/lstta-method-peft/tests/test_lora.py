from __future__ import annotations

import copy
import re

import pytest
import torch
from torch import Tensor, nn

from lstta_core.adapter_set import encoder_digest
from lstta_core.interfaces import Method, Modality
from lstta_core.lockstep import TrimodalModel
from lstta_core.method import create_method
from lstta_core.targets import QUERY_AND_VALUE
from lstta_core.testing.inputs import synthetic_inputs
from lstta_core.testing.method_suite import MethodConformance
from lstta_core.testing.toy_encoders import toy_encoders
from lstta_method_peft.lora import LoRA

Batch = dict[Modality, dict[str, Tensor]]


class TestConformance(MethodConformance):
    def make_method(self) -> Method:
        return LoRA(r=3)


@pytest.fixture
def model() -> TrimodalModel:
    return TrimodalModel(toy_encoders())


@pytest.fixture
def inputs(model: TrimodalModel) -> Batch:
    return {m: synthetic_inputs(encoder.spec) for m, encoder in model.by_modality().items()}


def shake(model: TrimodalModel, seed: int = 0) -> None:
    random = torch.Generator().manual_seed(seed)
    for parameter in model.trainable_parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=random)


def tokens(model: TrimodalModel, inputs: Batch) -> dict[Modality, Tensor]:
    with torch.no_grad():
        return {m: stream.tokens for m, stream in model(inputs).streams.items()}


def same(a: dict[Modality, Tensor], b: dict[Modality, Tensor]) -> bool:
    return all(torch.equal(a[m], b[m]) for m in a)


def test_trains_exactly_the_low_rank_matrices_of_queries_and_values(model: TrimodalModel) -> None:
    widths = {
        f"encoders.{name}": module.in_features
        for name, module in model.encoders.named_modules()
        if re.search(r"\.(query|value)$", name) and isinstance(module, nn.Linear)
    }
    model.add_adapter("a", LoRA(r=3))
    expected = [f"{name}.lora_{ab}.default.weight" for name in widths for ab in "AB"]
    assert model.trainable_names() == sorted(expected)
    assert sorted(n for n, p in model.named_parameters() if p.requires_grad) == sorted(expected)
    assert sum(p.numel() for p in model.trainable_parameters()) == sum(2 * 3 * width for width in widths.values())
    assert not model.prefix_is_frozen


def test_equals_the_formula() -> None:
    """An encoder with its layers' weights replaced by W + (alpha / r) B A."""
    random = toy_encoders()
    adapted, merged = TrimodalModel(copy.deepcopy(dict(random))), TrimodalModel(random)
    adapted.add_adapter("a", LoRA(r=3, alpha=5))
    shake(adapted)
    state = adapted.state_dict()
    for name, parameter in merged.named_parameters():
        layer = name.removesuffix(".weight")
        if f"{layer}.lora_A.default.weight" in state:
            delta = state[f"{layer}.lora_B.default.weight"] @ state[f"{layer}.lora_A.default.weight"]
            parameter.data += 5 / 3 * delta
    inputs = {m: synthetic_inputs(encoder.spec) for m, encoder in merged.by_modality().items()}
    for modality, expected in tokens(merged, inputs).items():
        torch.testing.assert_close(tokens(adapted, inputs)[modality], expected, rtol=1e-5, atol=1e-5)


def test_alpha_follows_the_rank() -> None:
    assert LoRA(r=7).alpha == 14
    assert LoRA(r=7, alpha=8).alpha == 8


def test_disabled_gives_the_frozen_model_back(model: TrimodalModel, inputs: Batch) -> None:
    frozen, names, digests = tokens(model, inputs), list(model.state_dict()), dict(model.digests)
    model.add_adapter("a", LoRA(r=3))
    assert same(tokens(model, inputs), frozen)
    shake(model)
    trained = tokens(model, inputs)
    assert not same(trained, frozen)
    with model.disabled():
        assert same(tokens(model, inputs), frozen)
        assert list(model.state_dict()) == names
        assert {m: encoder_digest(encoder) for m, encoder in model.by_modality().items()} == digests
    assert same(tokens(model, inputs), trained)
    model.delete_adapter("a")
    assert list(model.state_dict()) == names
    assert same(tokens(model, inputs), frozen)


def test_two_of_them_by_name(model: TrimodalModel, inputs: Batch) -> None:
    model.add_adapter("a", LoRA(r=3))
    shake(model, 1)
    first, of_first = tokens(model, inputs), model.trainable_parameters()
    model.add_adapter("b", LoRA(r=2))
    shake(model, 2)
    second = tokens(model, inputs)
    assert not any(parameter.requires_grad for parameter in of_first)
    model.set_adapter("a")
    assert same(tokens(model, inputs), first)
    assert all(one is two for one, two in zip(model.trainable_parameters(), of_first, strict=True))
    model.delete_adapter("a")
    model.set_adapter("b")
    assert same(tokens(model, inputs), second)


def test_dropout_follows_train_though_encoders_stay_in_eval(model: TrimodalModel, inputs: Batch) -> None:
    model.add_adapter("a", LoRA(r=3, dropout=0.5))
    shake(model)
    model.eval()
    assert same(tokens(model, inputs), tokens(model, inputs))
    model.train()
    assert not same(tokens(model, inputs), tokens(model, inputs))
    training = {type(module) for module in model.encoders.modules() if module.training and not list(module.children())}
    assert training == {nn.Dropout}


def test_bfloat16_encoders_keep_float32_updates(inputs: Batch) -> None:
    model = TrimodalModel(toy_encoders(), frozen_dtype=torch.bfloat16)
    model.add_adapter("a", LoRA(r=3))
    assert {parameter.dtype for parameter in model.trainable_parameters()} == {torch.float32}
    sum(stream.tokens.float().square().sum() for stream in model(inputs).streams.values()).backward()
    assert any(parameter.grad is not None and parameter.grad.any() for parameter in model.trainable_parameters())


def test_encoders_in_8_bits_are_adapted(inputs: Batch) -> None:
    model = TrimodalModel(toy_encoders(), frozen_dtype="int8")
    model.add_adapter("a", LoRA(r=3))
    assert model.trainable_parameters()
    sum(stream.tokens.square().sum() for stream in model(inputs).streams.values()).backward()
    assert any(parameter.grad is not None and parameter.grad.any() for parameter in model.trainable_parameters())


def test_the_state_of_one_fits_another(model: TrimodalModel, inputs: Batch) -> None:
    model.add_adapter("a", LoRA(r=3))
    shake(model)
    with model.disabled():
        other = TrimodalModel(copy.deepcopy(model.by_modality()))
    other.add_adapter("first", LoRA(r=5))
    other.add_adapter("a", LoRA(r=3))
    other.load_state_dict({name: model.state_dict()[name] for name in model.trainable_names()}, strict=False)
    assert same(tokens(other, inputs), tokens(model, inputs))


@pytest.mark.parametrize(
    "name",
    [
        "encoder.layer.0.attention.self.query",
        "layers.3.attention.attention.value",
        "encoder.layers.11.self_attn.q_proj",
        "encoder.layer.2.attention.self.value_proj",
        "encoder.block.0.layer.0.SelfAttention.v",
        "encoder.layer.0.attention.attn.q",
        "layers.0.attn.Wqkv",
        "blocks.0.qkv",
    ],
)
def test_default_target_knows_the_families_names(name: str) -> None:
    assert re.fullmatch(QUERY_AND_VALUE, name)


@pytest.mark.parametrize(
    "name", ["layers.0.self_attn.k_proj", "layers.0.attention.key", "layers.0.kv", "head.value_head"]
)
def test_default_target_leaves_others(name: str) -> None:
    assert not re.fullmatch(QUERY_AND_VALUE, name)


def test_a_target_that_matches_nothing_is_an_error(model: TrimodalModel) -> None:
    with pytest.raises(ValueError, match=r"visual encoder has a name that matches target='nothing'; it has patches"):
        model.add_adapter("a", LoRA(target="nothing"))
    assert model.active is None
    assert "a" not in model.adapters


def test_a_factor_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^alpha: a number above 0 is wanted, got 0"):
        LoRA(alpha=0)


@pytest.mark.parametrize("budget", [3_000, 20_000])
def test_budget_solves_for_the_rank(model: TrimodalModel, budget: int) -> None:
    choice = create_method("lora", model, budget=budget, dropout=0.1)
    assert abs(choice.parameters / budget - 1) < 0.02
    model.add_adapter("a", choice.method)
    assert sum(p.numel() for p in model.trainable_parameters()) == choice.parameters
    per_rank = create_method("lora", model, r=1).parameters
    assert choice.parameters == choice.options["r"] * per_rank
