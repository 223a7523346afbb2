"""Compiled parts: every block and adapter goes through torch.compile, and nothing else about the model changes."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import pytest
import torch
from torch import nn

from lstta_core import compiling
from lstta_core.compiling import compile_parts
from lstta_core.interfaces import Encoder, Modality, TrimodalOutput
from lstta_core.lockstep import TrimodalModel
from lstta_core.method import create_method
from lstta_core.testing.inputs import synthetic_inputs
from lstta_core.testing.toy_encoders import toy_encoders

new_enough = pytest.mark.skipif(not compiling.torch_compiles(), reason="this torch is too old")


class Counted:
    """A backend that runs what it is given as it is, and counts it."""

    def __init__(self) -> None:
        self.graphs = 0

    def __call__(self, graph: torch.fx.GraphModule, inputs: Any) -> Callable[..., Any]:
        self.graphs += 1
        return graph.forward


def model(**options: Any) -> TrimodalModel:
    torch.manual_seed(0)
    made = TrimodalModel(toy_encoders(), stages=2, **options)
    made.add_adapter("one", create_method(model=made, name="lstta", width=8, heads=2).method)
    for parameter in made.trainable_parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return made


def run(made: TrimodalModel) -> tuple[TrimodalOutput, list[torch.Tensor]]:
    inputs = {
        m: synthetic_inputs(encoder.spec, batch=3, segments=5, ragged=True) for m, encoder in made.by_modality().items()
    }
    output = made(inputs)
    loss = torch.stack([stream.tokens[stream.mask].sin().sum() for stream in output.streams.values()]).sum()
    return output, list(torch.autograd.grad(loss, made.trainable_parameters(), allow_unused=True))


@pytest.fixture(autouse=True)
def _nothing_compiled_yet() -> None:
    torch.compiler.reset()


@new_enough
@pytest.mark.parametrize("checkpointing", [False, True])
def test_values_gradients_and_names_stay(checkpointing: bool) -> None:
    plain, compiled, counted = model(), model(checkpointing=checkpointing), Counted()
    compile_parts(compiled, backend=counted, fullgraph=True)
    assert list(compiled.state_dict()) == list(plain.state_dict())
    assert compiled.trainable_names() == plain.trainable_names()
    (wanted, gradients), (got, others) = run(plain), run(compiled)
    assert counted.graphs > 5  # blocks of each encoder, and an adapter with importances and one without
    for m in Modality:
        assert torch.equal(got.streams[m].tokens, wanted.streams[m].tokens)
    for shown, expected in zip(got.importances, wanted.importances, strict=True):
        assert all(torch.equal(shown[m], g) for m, g in expected.items())
    for one, two in zip(gradients, others, strict=True):
        assert (one is None) == (two is None)
        assert one is None or torch.equal(one, two)


@new_enough
def test_every_block_and_adapter_runs_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    made = model()
    compile_parts(made, backend="eager")
    ran: list[nn.Module] = []
    parts = [encoder.block(index) for encoder in made.by_modality().values() for index in range(encoder.depth)]
    parts += [adapter for placed in made.adapters.values() for adapter in placed.children()]
    for part in parts:
        assert part is not None
        inner = part._compiled_call_impl

        def call(*args: Any, part: nn.Module = part, inner: Any = inner, **kwargs: Any) -> Any:
            ran.append(part)
            return inner(*args, **kwargs)

        part._compiled_call_impl = call
    run(made)
    assert set(ran) == set(parts)
    assert len(ran) == len(parts) == 9


@new_enough
def test_an_encoder_that_does_not_name_its_blocks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = model()
    monkeypatch.setattr(type(made.by_modality()[Modality.AUDIO]), "block", Encoder.block)
    with pytest.raises(ValueError, match=r"the audio encoder ToyAudio does not say which modules its blocks are"):
        compile_parts(made, backend="eager")


@new_enough
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mode": "fastest"}, r"torch.compile does not take {'mode': 'fastest'}: .*fastest"),
        ({"backend": "eager", "speed": 9}, r"torch.compile does not take .*'speed': 9.*: .*speed"),
        ({"backend": "nobody's"}, r"torch.compile does not take .*nobody's"),
    ],
)
def test_an_option_that_torch_does_not_take_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        compile_parts(model(), **options)


@new_enough
def test_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(
        ValueError, match=r"a C\+\+ compiler, none of no-such-compiler is there: .* leave compiling out"
    ):
        compile_parts(model())


@new_enough
@pytest.mark.parametrize(("before", "after"), [(8, compiling.COMPILED), (100, 100)])
def test_a_torch_without_an_option_for_its_limit_has_the_limit_raised(
    before: int, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would compile eight of the blocks of a kind, and run the others as they are."""
    from torch._dynamo import config

    monkeypatch.setattr(compiling, "signature", lambda function: signature(lambda model: None))
    made, counted = model(), Counted()
    with config.patch(recompile_limit=before):
        compile_parts(made, backend=counted)
        assert config.recompile_limit == after
        run(made)
    assert counted.graphs > 5


def test_a_torch_whose_compiler_fails_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "__version__", "2.6.0+cpu")
    with pytest.raises(ValueError, match=r"needs torch 2.11 or newer here, and this is 2.6.0\+cpu: .* leave compiling"):
        compile_parts(model(), backend="eager")
