"""Several adapters on one set of encoders: switching, disabling, deleting, and what an optimizer gets."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from types import ModuleType

import pytest
import torch
from torch import Tensor

from lstta_core.interfaces import EncoderChange, Method, Modality
from lstta_core.lockstep import TrimodalModel
from lstta_core.methods.bottleneck import Bottleneck
from lstta_core.methods.cola import CoLA
from lstta_core.methods.full import FullFineTuning
from lstta_core.methods.lavish import Lavish
from lstta_core.methods.lstta.adapter import LSTTA
from lstta_core.methods.moka import MokA
from lstta_core.methods.none import NoAdapter
from lstta_core.prefix import suffix

METHODS: dict[str, Callable[[], Method]] = {
    "lstta": lambda: LSTTA(width=8, heads=2),
    "bottleneck": lambda: Bottleneck(width=3),
    "lavish": lambda: Lavish(width=3, groups=1),
    "moka": lambda: MokA(r=3),
    "cola": lambda: CoLA(r=2, reduction=2),
    "full": FullFineTuning,
    "none": NoAdapter,
}

Batch = dict[Modality, dict[str, Tensor]]

pytestmark = pytest.mark.usefixtures("measured")


@pytest.fixture
def model(small: ModuleType) -> TrimodalModel:
    return TrimodalModel(small.encoders())


@pytest.fixture
def inputs(small: ModuleType) -> Batch:
    return small.inputs()


def tokens(model: TrimodalModel, inputs: Batch) -> dict[Modality, Tensor]:
    with torch.no_grad():
        return {m: stream.tokens for m, stream in model(inputs).streams.items()}


def same(a: dict[Modality, Tensor], b: dict[Modality, Tensor]) -> bool:
    return all(torch.equal(a[m], b[m]) for m in a)


def loss(model: TrimodalModel, inputs: Batch) -> Tensor:
    """A sum over clips, so that halves of a batch add up to the whole."""
    output = model(inputs)
    parts = [(s.tokens.float().sin() * s.mask[..., None]).sum() for s in output.streams.values()]
    parts += [g.square().sum() for stage in output.importances for g in stage.values()]
    return torch.stack(parts).sum() / 100


def train(model: TrimodalModel, inputs: Batch, steps: int = 3) -> None:
    optimizer = torch.optim.SGD(model.trainable_parameters(), lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(model, inputs).backward()
        optimizer.step()
    optimizer.zero_grad()


@pytest.mark.parametrize("kind", ["lstta", "bottleneck", "lavish", "moka", "cola", "full"])
def test_switching_gives_each_its_own_outputs_back(model: TrimodalModel, inputs: Batch, kind: str) -> None:
    frozen = tokens(model, inputs)
    results = {}
    for name, method in ((kind, METHODS[kind]()), ("other", METHODS[kind]()), ("small", METHODS["bottleneck"]())):
        model.add_adapter(name, method)
        assert model.active == name
        train(model, inputs, steps=3 if name == kind else 4)
        results[name] = tokens(model, inputs)
        assert not same(results[name], frozen)
    assert not same(results[kind], results["other"])
    for name in ("other", kind, "small", kind):
        model.set_adapter(name)
        assert same(tokens(model, inputs), results[name])
        with model.disabled():
            assert model.active is None
            assert same(tokens(model, inputs), frozen)
        assert model.active == name
    model.delete_adapter("other")
    assert list(model.adapters) == [kind, "small"]
    assert same(tokens(model, inputs), results[kind])
    model.delete_adapter(kind)
    assert model.active is None
    assert same(tokens(model, inputs), frozen)
    model.set_adapter("small")
    assert same(tokens(model, inputs), results["small"])


def test_disabled_gives_back_the_active_adapter_after_an_error(model: TrimodalModel) -> None:
    model.add_adapter("a", METHODS["lstta"]())
    with pytest.raises(KeyError), model.disabled():
        raise KeyError
    assert model.active == "a"


@pytest.mark.parametrize("kind", list(METHODS))
def test_only_the_active_one_wants_gradients_and_is_in_the_optimizer(
    model: TrimodalModel, inputs: Batch, kind: str
) -> None:
    model.add_adapter("waiting", METHODS["lstta"]())
    model.add_adapter("active", METHODS[kind]())
    requiring = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert requiring == set(model.trainable_names())
    assert not any(name.startswith("adapters.waiting") for name in requiring)
    assert {id(p) for p in model.trainable_parameters()} == {id(p) for p in model.parameters() if p.requires_grad}
    if requiring:
        loss(model, inputs).backward()
    assert {n for n, p in model.named_parameters() if p.grad is not None} <= requiring
    with model.disabled():
        assert not any(parameter.requires_grad for parameter in model.parameters())
        assert model.trainable_parameters() == []


@pytest.mark.parametrize("kind", ["lstta", "bottleneck", "lavish", "moka", "cola", "full"])
def test_accumulated_gradients_equal_those_of_one_big_batch(model: TrimodalModel, inputs: Batch, kind: str) -> None:
    model.add_adapter("a", METHODS[kind]())
    train(model, inputs, steps=2)
    loss(model, inputs).backward()
    big = [parameter.grad for parameter in model.trainable_parameters()]
    model.zero_grad()
    for clip in range(3):
        loss(model, {m: {k: v[clip : clip + 1] for k, v in inputs[m].items()} for m in inputs}).backward()
    for name, one, many in zip(model.trainable_names(), big, model.trainable_parameters(), strict=True):
        assert (one is None) == (many.grad is None), name
        if one is not None and many.grad is not None:
            torch.testing.assert_close(many.grad, one, rtol=1e-4, atol=1e-5 * float(one.abs().max() + 1))


@pytest.mark.parametrize("kind", ["lstta", "bottleneck", "lavish", "moka", "cola", "full"])
def test_checkpointing_changes_nothing(small: ModuleType, inputs: Batch, kind: str) -> None:
    results = []
    for checkpointing in (False, True):
        torch.manual_seed(0)
        model = TrimodalModel(small.encoders(), checkpointing=checkpointing)
        model.add_adapter("a", METHODS[kind]())
        model.train()
        train(model, inputs, steps=2)
        value = loss(model, inputs)
        value.backward()
        results.append((value, [parameter.grad for parameter in model.trainable_parameters()]))
    (plain, gradients), (recomputed, others) = results
    assert torch.equal(plain, recomputed)
    for one, two in zip(gradients, others, strict=True):
        assert (one is None) == (two is None)
        assert one is None or two is None or torch.equal(one, two)


def test_checkpointing_keeps_less_and_draws_the_same_dropout(small: ModuleType, inputs: Batch) -> None:
    saved_bytes, results = [], []
    for checkpointing in (False, True):
        sizes: list[int] = []

        def count(tensor: Tensor, sizes: list[int] = sizes) -> Tensor:
            sizes.append(tensor.numel())
            return tensor

        torch.manual_seed(0)
        model = TrimodalModel(small.encoders(), checkpointing=checkpointing)
        model.add_adapter("a", LSTTA(width=8, heads=2, dropout=0.5))
        for parameter in model.trainable_parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
        model.train()
        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            value = loss(model, inputs)
        value.backward()
        saved_bytes.append(sum(sizes))
        results.append([parameter.grad for parameter in model.trainable_parameters()])
    assert saved_bytes[1] < saved_bytes[0] / 2
    for one, two in zip(*results, strict=True):
        assert one is not None
        assert two is not None
        assert torch.equal(one, two)


def test_prefix_and_suffix_are_the_whole(small: ModuleType, inputs: Batch) -> None:
    for adapted in range(4):
        model = TrimodalModel(small.encoders(), adapted=adapted)
        model.add_adapter("a", METHODS["lstta"]())
        if adapted:
            train(model, inputs)
        assert model.prefix_is_frozen
        present = {m: inputs[m]["present"] for m in inputs}
        with torch.no_grad():
            streams = suffix(model, model.prefix(inputs), present).streams
        assert same({m: stream.tokens for m, stream in streams.items()}, tokens(model, inputs))
    model.add_adapter("b", FullFineTuning())
    assert not model.prefix_is_frozen


def test_prints_one_line(model: TrimodalModel, capsys: pytest.CaptureFixture[str]) -> None:
    model.print_trainable_parameters()
    model.add_adapter("a", METHODS["bottleneck"]())
    model.print_trainable_parameters()
    none, some = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"no adapter: 0 of [\d,]+ parameters train \(0\.00%\)", none)
    match = re.fullmatch(r"a: ([\d,]+) of ([\d,]+) parameters train \(([\d.]+)%\)", some)
    assert match is not None
    trained, every, share = (float(group.replace(",", "")) for group in match.groups())
    assert trained == sum(parameter.numel() for parameter in model.adapters.parameters())
    assert every == sum(parameter.numel() for parameter in model.parameters())
    assert share == pytest.approx(100 * trained / every, abs=0.005)


def test_adapters_follow_the_model(model: TrimodalModel) -> None:
    model.train()
    model.add_adapter("a", METHODS["lstta"]())
    assert model.adapters["a"].training
    model.eval()
    model.add_adapter("b", METHODS["lstta"]())
    assert not model.adapters["b"].training


@pytest.mark.parametrize("kind", ["lstta", "full"])
def test_a_copy_is_independent(model: TrimodalModel, inputs: Batch, kind: str) -> None:
    model.add_adapter("a", METHODS[kind]())
    frozen = tokens(model, inputs)
    twin = copy.deepcopy(model)
    train(twin, inputs)
    trained = tokens(twin, inputs)
    assert same(tokens(model, inputs), frozen)
    assert not same(trained, frozen)
    with twin.disabled(), model.disabled():
        assert same(tokens(twin, inputs), tokens(model, inputs))
    assert same(tokens(twin, inputs), trained)


class Failing(LSTTA):
    """Cannot be prepared."""

    def prepare(self, encoders: object) -> EncoderChange:
        raise RuntimeError("no")


def test_a_method_that_fails_leaves_the_model_as_it_was(model: TrimodalModel, inputs: Batch) -> None:
    model.add_adapter("a", METHODS["full"]())
    train(model, inputs)
    before = tokens(model, inputs)
    with pytest.raises(RuntimeError, match="no"):
        model.add_adapter("b", Failing(width=8))
    assert model.active == "a"
    assert list(model.adapters) == ["a"]
    assert same(tokens(model, inputs), before)


@pytest.mark.parametrize("name", ["", "a.b", "keys", "training"])
def test_names_that_torch_cannot_take(model: TrimodalModel, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name an adapter"):
        model.add_adapter(name, METHODS["none"]())


def test_unknown_and_taken_names(model: TrimodalModel) -> None:
    model.add_adapter("a", METHODS["none"]())
    with pytest.raises(ValueError, match=r"named 'a' already; the names are \['a'\]"):
        model.add_adapter("a", METHODS["none"]())
    with pytest.raises(ValueError, match=r"no adapter named 'b'; the names are \['a'\]"):
        model.set_adapter("b")
    with pytest.raises(ValueError, match=r"no adapter named 'b'"):
        model.delete_adapter("b")
