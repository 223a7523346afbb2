"""Multiply-accumulates of one forward pass and of its backward pass, by part, on a trace of the whole model.

fvcore traces and attributes; the handlers are our own (:mod:`lstta_core.profiling.handlers`), since fvcore's count no
attention, and too little where a matrix product broadcasts its first operand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from lstta_core.interfaces import Encoder, Inputs
from lstta_core.profiling.handlers import BACKWARD, FORWARD, HANDLERS, Handle
from lstta_core.profiling.operators import FREE, must_be_counted
from lstta_core.profiling.parts import Part, Parts
from lstta_core.profiling.tracing import JitModelAnalysis

MODEL = "model"
"""The name of the model in what is traced."""


class UncountedError(ValueError):
    """A model runs operators whose MACs are not known and cannot be small."""


@dataclass(frozen=True)
class Macs:
    """Multiply-accumulates; one MAC is two FLOPs.

    Attributes:
        forward: of the forward pass.
        backward: of the backward pass, by the rule in :mod:`lstta_core.profiling.handlers`.
    """

    forward: int = 0
    backward: int = 0

    @property
    def step(self) -> int:
        """Of a training step: both passes. The optimizer multiplies element by element, which is not counted."""
        return self.forward + self.backward

    def __add__(self, other: Macs) -> Macs:
        return Macs(self.forward + other.forward, self.backward + other.backward)


@dataclass(frozen=True)
class MacCount:
    """What was counted, and what was not.

    Attributes:
        parts: MACs by part; parts that multiply nothing are left out.
        uncounted: operators that compute with reals and have no MACs, and how often each is called: element by element
            (norms, softmax, activations, sums), and Fourier transforms.
    """

    parts: Mapping[Part, Macs]
    uncounted: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> Macs:
        return sum(self.parts.values(), Macs())


def count_macs(
    model: nn.Module,
    inputs: Inputs,
    *,
    loss: Callable[[Any], Tensor],
    call: Callable[[Inputs], Any] | None = None,
    handlers: Mapping[str, Handle] | None = None,
) -> MacCount:
    """Count the MACs of a model on these inputs.

    Args:
        model: that is or holds a :class:`~lstta_core.lockstep.TrimodalModel`, one or several.
        inputs: of all that is counted; hand over one clip for the MACs of a sample.
        loss: the model's output to a number, (); its own products count as the part ``loss``.
        call: of the model, where it needs more than the inputs.
        handlers: for operators that :data:`~lstta_core.profiling.handlers.HANDLERS` lacks, by their kind in a trace.

    Raises:
        UncountedError: an operator that resembles attention or another product, that is no operator of torch's own, or
            that is written in Python (an autograd function), has no handler. The message names it.
    """
    parts = Parts(model)
    traced = _Traced(model, inputs, call or model, loss)
    encoders = {f"{MODEL}.{name}": encoder for name, encoder in parts.encoders().items()}
    with _as_modules(encoders, traced.results), _as_it_was(model):
        return count_module_macs(
            traced,
            *traced.tensors,
            part=lambda name: parts.of(name.removeprefix(MODEL).removeprefix(".")),
            handlers=handlers,
        )


def count_module_macs(
    module: nn.Module,
    *tensors: Tensor,
    part: Callable[[str], Part] = lambda name: (name,),
    handlers: Mapping[str, Handle] | None = None,
) -> MacCount:
    """Count the MACs of any module, and of the backward pass from its first output.

    Args:
        module: that takes and gives tensors.
        tensors: for it.
        part: of the innermost module that calls an operator, given its name; by default that name.
        handlers: as of :func:`count_macs`, whose errors this raises.
    """
    analysis = JitModelAnalysis(module, tensors)
    analysis.set_op_handle(**{kind: _by_part(h, part) for kind, h in {**HANDLERS, **(handlers or {})}.items()})
    analysis.tracer_warnings("none").unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    counts: Counter[tuple[Part, str]] = analysis.by_operator()
    uncounted = {kind: calls for kind, calls in analysis.unsupported_ops().items() if not FREE.match(kind)}
    _refuse(uncounted)
    of_parts = {
        part: Macs(counts[part, FORWARD], counts[part, BACKWARD]) for part in dict.fromkeys(p for p, _ in counts)
    }
    return MacCount(of_parts, {kind.removeprefix("aten::"): calls for kind, calls in sorted(uncounted.items())})


def _by_part(
    handler: Handle, part: Callable[[str], Part]
) -> Callable[[list[Any], list[Any]], Counter[tuple[Part, str]]]:
    """The handler, with what it counts filed under the part that calls the operator."""

    def count(inputs: list[Any], outputs: list[Any]) -> Counter[tuple[Part, str]]:
        caller = part(outputs[0].node().scopeName().rpartition("/")[2])
        return Counter({(caller, direction): macs for direction, macs in handler(inputs, outputs).items()})

    return count


class _Traced(nn.Module):
    """A model and its loss as a function of tensors alone, which is what can be traced."""

    def __init__(
        self, model: nn.Module, inputs: Inputs, call: Callable[[Inputs], Any], loss: Callable[[Any], Tensor]
    ) -> None:
        super().__init__()
        self.model = model
        self.run = lambda inputs: call(inputs)
        self.loss = loss
        self.results: list[Tensor] = []
        self.places = [(modality, name) for modality, tensors in inputs.items() for name in tensors]
        self.tensors = tuple(inputs[modality][name] for modality, name in self.places)

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """The loss, and whatever else the model and its encoders give: a trace drops what reaches no output."""
        inputs: dict[Any, dict[str, Tensor]] = {}
        for (modality, name), tensor in zip(self.places, tensors, strict=True):
            inputs.setdefault(modality, {})[name] = tensor
        with torch.enable_grad(), _PlainSizes():
            output = self.run(inputs)
            return (self.loss(output), *tensors_in(output), *self.results)


def tensors_in(output: Any) -> list[Tensor]:
    """The tensors in an output of dataclasses, mappings and sequences."""
    if isinstance(output, Tensor):
        return [output]
    if is_dataclass(output):
        return tensors_in([getattr(output, field.name) for field in fields(output)])
    if isinstance(output, Mapping):
        return tensors_in(list(output.values()))
    if isinstance(output, list | tuple):
        return [tensor for inner in output for tensor in tensors_in(inner)]
    return []


class _PlainSizes(TorchFunctionMode):
    """Sizes are numbers while a model is traced, as they are otherwise; the tracer would make them tensors.

    Code that puts sizes into a set or compares them with ``is`` then runs as written.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Size):
            return torch.Size([int(size) for size in result])
        return int(result) if func in (Tensor.size, Tensor.numel, Tensor.nelement) else result


@contextmanager
def _as_it_was(model: nn.Module) -> Iterator[None]:
    """Afterwards the model's buffers are what they were before: in training, a forward changes statistics."""
    before = [(buffer, buffer.clone()) for buffer in model.buffers()]
    try:
        yield
    finally:
        for buffer, values in before:
            buffer.copy_(values)


@contextmanager
def _as_modules(encoders: Mapping[str, nn.Module], results: list[Tensor]) -> Iterator[None]:
    """Within the context the encoders' own methods are traced as theirs, as calls of modules are.

    Args:
        encoders: by the names that they have in the trace.
        results: what their methods give is added here.
    """
    methods = sorted(Encoder.__abstractmethods__)

    def scoped(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            trace = torch._C._get_tracing_state()
            assert trace is not None
            trace.push_scope(name)
            result = method(*arguments)
            trace.pop_scope()
            results.extend(tensors_in(result))
            return result

        return call

    for name, encoder in encoders.items():
        for method in methods:
            object.__setattr__(encoder, method, scoped(name, getattr(encoder, method)))
    try:
        yield
    finally:
        for encoder in encoders.values():
            for method in methods:
                object.__delattr__(encoder, method)


def _refuse(uncounted: Mapping[str, int]) -> None:
    unknown = sorted(kind for kind in uncounted if must_be_counted(kind))
    if unknown:
        raise UncountedError(
            f"the MACs of {', '.join(unknown)} are not known, and the total would be too low without them: "
            "give count_macs a handler for each, or profile the model without its fused form"
        )
