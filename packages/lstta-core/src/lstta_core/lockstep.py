"""The three encoders in lockstep, with adapters at the stages.

The way of a batch: ``embed`` of each encoder; for each stage, the blocks of each encoder up to it, then the adapter;
``finish``. Encoders are frozen and stay in eval mode. Several adapters may live on one set of encoders, by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lstta_core.digests import encoder_digest
from lstta_core.fast_linear import when_computed_again
from lstta_core.interfaces import (
    Adapter,
    Encoder,
    EncoderChange,
    EncoderOutput,
    EncoderState,
    Method,
    Modality,
    Stage,
    Stream,
    Streams,
    check_streams,
)
from lstta_core.precision import arithmetic, check_frozen_dtype, lower
from lstta_core.states import move_state

Inputs = Mapping[Modality, Mapping[str, Any]]
"""By modality, ``present`` and the tensors that its encoder's spec asks for; or ``state`` in place of those, as
:meth:`TrimodalModel.prefix` gives it."""
States = dict[Modality, EncoderState]
Kept = TypeVar("Kept")


@dataclass(frozen=True)
class TrimodalOutput:
    """What the lockstep model gives.

    Attributes:
        streams: the encoders' finished tokens, by modality.
        outputs: what each encoder's ``finish`` returned, pooled output included.
        importances: one entry an adapted stage that has them, first stage first: (B, T) for each modality.
    """

    streams: Streams
    outputs: Mapping[Modality, EncoderOutput]
    importances: list[Mapping[Modality, Tensor]]


def blocks_before(stage: int, depth: int, stages: int) -> int:
    """How many blocks an encoder of this depth has run at stage ``stage`` of ``stages``; all of them at the last."""
    return (2 * stage * depth + stages) // (2 * stages)


class TrimodalModel(nn.Module):
    """Frozen encoders of one, two or three modalities and the adapters between their blocks.

    Several adapters may share the encoders, by name; one is active, or none. Only what the active one trains wants
    gradients, so ``(p for p in model.parameters() if p.requires_grad)`` is what belongs into an optimizer. A state dict
    holds all adapters at stages; of what methods change inside the encoders it holds the active one's.

    Args:
        encoders: by modality. They are frozen and put in eval mode here.
        stages: K, how many places between blocks there are; at most the smallest depth, which is the default.
        adapted: how many of the last stages have adapters; all by default. What lies before them is a prefix, frozen
            unless a method trains inside the encoders.
        frozen_dtype: of the encoders' parameters: float32, bfloat16, or None to leave them as they are. Buffers and
            batch norms keep their type. With bfloat16 the encoders compute in it, which is for ``embed`` to see to, and
            what trains stays in float32 under autocast.
        checkpointing: whether each stage is computed again in the backward pass, for memory.

    Raises:
        ValueError: no encoder, an encoder under another modality's name, or another argument out of range.
    """

    def __init__(
        self,
        encoders: Mapping[Modality, Encoder],
        *,
        stages: int | None = None,
        adapted: int | None = None,
        frozen_dtype: torch.dtype | None = None,
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        if not encoders:
            raise ValueError("a model needs at least one encoder")
        for modality, encoder in encoders.items():
            if encoder.modality != modality:
                raise ValueError(f"the encoder given as {modality} says that it reads {encoder.modality}")
        shallowest = min(encoder.depth for encoder in encoders.values())
        stages = shallowest if stages is None else stages
        if not 1 <= stages <= shallowest:
            depths = {str(modality): encoder.depth for modality, encoder in encoders.items()}
            raise ValueError(f"stages={stages} must lie between 1 and the smallest depth; the depths are {depths}")
        adapted = stages if adapted is None else adapted
        if not 0 <= adapted <= stages:
            raise ValueError(f"adapted={adapted} must lie between 0 and stages={stages}")
        check_frozen_dtype(frozen_dtype)
        self.stages = stages
        self.adapted = adapted
        self.frozen_dtype = frozen_dtype
        self.checkpointing = checkpointing
        self.encoders = nn.ModuleDict({m: encoders[m] for m in Modality if m in encoders})
        self.digests = {m: encoder_digest(encoder) for m, encoder in self.by_modality().items()}
        self.encoders.requires_grad_(False)
        self.encoders.eval()
        if frozen_dtype is not None:
            lower(self.encoders, frozen_dtype)
        self.adapters = nn.ModuleDict()
        self.active: str | None = None
        self._changes: dict[str, EncoderChange] = {}

    def add_adapter(self, name: str, method: Method) -> None:
        """Put a method's adapters at the stages under this name and make them the active ones.

        Raises:
            ValueError: the name is taken, or cannot be part of a parameter's name.
        """
        if name in self.adapters:
            raise ValueError(f"there is an adapter named {name!r} already; the names are {list(self.adapters)}")
        if not name or "." in name or name in dir(self.adapters):
            raise ValueError(f"{name!r} cannot name an adapter: take a word without a dot that torch does not use")
        placed = {}
        for index in range(self.stages - self.adapted + 1, self.stages + 1):
            adapter = method.adapter(self.stage(index))
            if adapter is not None:
                placed[str(index)] = adapter
        with self.disabled():
            self._changes[name] = method.prepare(self.by_modality())
        self.adapters[name] = nn.ModuleDict(placed).to(self._device).train(self.training)
        self.set_adapter(name)

    def set_adapter(self, name: str) -> None:
        """Make this adapter the active one.

        Raises:
            ValueError: there is none of this name.
        """
        self._check_name(name)
        self._activate(name)

    def delete_adapter(self, name: str) -> None:
        """Take this adapter away; if it is the active one, none is active then.

        Raises:
            ValueError: there is none of this name.
        """
        self._check_name(name)
        if name == self.active:
            self._activate(None)
        del self._changes[name], self.adapters[name]

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """The frozen model, to the bit, for as long as the context lasts."""
        active = self.active
        self._activate(None)
        try:
            yield
        finally:
            self._activate(active)

    def by_modality(self) -> dict[Modality, Encoder]:
        """The encoders, typed."""
        return {Modality(m): cast(Encoder, encoder) for m, encoder in self.encoders.items()}

    def stage(self, index: int) -> Stage:
        """Stage ``index`` (1 … stages), as methods get it to build an adapter."""
        widths = {
            m: encoder.widths[blocks_before(index, encoder.depth, self.stages) - 1]
            for m, encoder in self.by_modality().items()
        }
        return Stage(index=index, count=self.stages, widths=widths)

    def train(self, mode: bool = True) -> TrimodalModel:
        """Train mode for what is trained; frozen encoders stay in eval mode, so that they do not drift."""
        super().train(mode)
        self.encoders.eval()
        if self.active is not None:
            for module in self._changes[self.active].modules:
                module.train(mode)
        return self

    def trainable_names(self) -> list[str]:
        """The names of all parameters that the active adapter trains, sorted."""
        if self.active is None:
            return []
        at_stages = [f"adapters.{self.active}.{name}" for name, _ in self.adapters[self.active].named_parameters()]
        return sorted([*at_stages, *(f"encoders.{name}" for name in self._changes[self.active].trainable)])

    def trainable_parameters(self) -> list[nn.Parameter]:
        """The parameters that the active adapter trains, in the order of their names."""
        return [self.get_parameter(name) for name in self.trainable_names()]

    def print_trainable_parameters(self) -> None:
        """Print one line: how many parameters the active adapter trains, of how many in the model."""
        trained = sum(parameter.numel() for parameter in self.trainable_parameters())
        every = sum(parameter.numel() for parameter in self.parameters())
        print(f"{self.active or 'no adapter'}: {trained:,} of {every:,} parameters train ({trained / every:.2%})")

    @property
    def prefix_is_frozen(self) -> bool:
        """Whether :meth:`prefix` always gives the same for the same inputs, and may be cached.

        What trains inside the encoders must lie in blocks behind the prefix, as :meth:`Encoder.block` names them.
        """
        return all(name.startswith(self._behind_the_prefix) for name in self._trained_inside)

    @property
    def _trained_inside(self) -> tuple[str, ...]:
        return () if self.active is None else self._changes[self.active].trainable

    @cached_property
    def _behind_the_prefix(self) -> tuple[str, ...]:
        """How names of the encoders' parameters begin that only blocks behind the prefix read."""
        names = []
        for modality, encoder in self.by_modality().items():
            blocks = [encoder.block(index) for index in range(self.prefix_blocks[modality], encoder.depth)]
            names += [f"{modality}.{name}." for name, module in encoder.named_modules() if module in blocks]
        return tuple(names)

    @property
    def prefix_blocks(self) -> dict[Modality, int]:
        """How many blocks of each encoder :meth:`prefix` runs."""
        return {m: blocks_before(self.first_adapted, e.depth, self.stages) for m, e in self.by_modality().items()}

    def forward(self, inputs: Inputs) -> TrimodalOutput:
        """Run the encoders together.

        Args:
            inputs: for each modality of the model, the tensors that its spec asks for and ``present`` (B,) bool.

        Raises:
            ValueError: a modality is missing, or the streams do not fit together.
        """
        missing = [m for m in self.encoders if m not in inputs]
        if missing:
            raise ValueError(f"the model reads {list(self.encoders)}; the inputs lack {missing}")
        return self.suffix(self.prefix(inputs), {m: inputs[m]["present"] for m in self.by_modality()})

    def prefix(self, inputs: Inputs) -> States:
        """The encoders' states at the first adapted stage, before its adapter; at the last stage if none is adapted.

        Raises:
            ValueError: some inputs bring their state, others do not; or something trains inside the encoders.
        """
        if brought := [m for m in self.by_modality() if "state" in inputs[m]]:
            self._check_brought(brought)
            return {m: move_state(inputs[m]["state"], self._device) for m in brought}
        return self._prefix(inputs, self.by_modality())

    def prefix_of(self, modality: Modality, inputs: Mapping[str, Tensor]) -> EncoderState:
        """The state of one modality that :meth:`prefix` gives: until the first adapter they do not meet."""
        return self._prefix({modality: inputs}, {modality: self.by_modality()[modality]})[modality]

    def _prefix(self, inputs: Inputs, encoders: Mapping[Modality, Encoder]) -> States:
        with self._arithmetic(mixed=not self.prefix_is_frozen):
            states = {m: encoder.embed(inputs[m]) for m, encoder in encoders.items()}
        for index in range(1, self.first_adapted + 1):
            states = self._kept(self._run_blocks, index, states, not self.prefix_is_frozen)
        return states

    def suffix(self, states: States, present: Mapping[Modality, Tensor]) -> TrimodalOutput:
        """What follows :meth:`prefix`.

        Args:
            states: from there.
            present: (B,) bool, for each modality of the model.
        """
        importances: list[Mapping[Modality, Tensor]] = []
        for index in range(self.first_adapted, self.stages + 1):
            states, shown = self._kept(self._run_stage, index, states, present)
            if shown:
                importances.append(shown)
        with self._arithmetic(mixed=bool(self._trained_inside)):
            outputs = {m: encoder.finish(states[m]) for m, encoder in self.by_modality().items()}
        streams = {m: to_stream(states[m], output.tokens, present[m]) for m, output in outputs.items()}
        check_streams(streams)
        return TrimodalOutput(streams, outputs, importances)

    def _check_brought(self, brought: list[Modality]) -> None:
        if len(brought) < len(self.encoders):
            raise ValueError(f"either all inputs bring a state or none: {list(self.encoders)}, got it for {brought}")
        if not self.prefix_is_frozen:
            raise ValueError(f"{self.active!r} trains inside the encoders' prefix: its states cannot be brought along")

    @property
    def first_adapted(self) -> int:
        """The stage whose states :meth:`prefix` gives."""
        return min(self.stages - self.adapted + 1, self.stages)

    @property
    def _device(self) -> torch.device:
        return next(self.encoders.parameters()).device

    def _arithmetic(self, *, mixed: bool) -> AbstractContextManager[object]:
        return arithmetic(self.frozen_dtype, self._device.type, mixed=mixed)

    def _kept(self, function: Callable[..., Kept], *arguments: object) -> Kept:
        """Call the function, and keep what its backward pass needs or, with checkpointing, only its arguments."""
        if self.checkpointing and torch.is_grad_enabled():
            again = checkpoint(function, *arguments, use_reentrant=False, context_fn=when_computed_again)
            return cast(Kept, again)
        return function(*arguments)

    def _run_blocks(self, index: int, states: States, mixed: bool) -> States:
        """The blocks between the stage before and this one."""
        after = {}
        with self._arithmetic(mixed=mixed):
            encoders = self.by_modality()
            for modality, state in states.items():
                encoder = encoders[modality]
                first = blocks_before(index - 1, encoder.depth, self.stages)
                for block in range(first, blocks_before(index, encoder.depth, self.stages)):
                    state = encoder.run_block(block, state)
                after[modality] = state
        return after

    def _run_stage(
        self, index: int, states: States, present: Mapping[Modality, Tensor]
    ) -> tuple[States, Mapping[Modality, Tensor]]:
        """The blocks before this stage, unless the prefix had them, and its adapter; states and importances."""
        if index > self.first_adapted:
            states = self._run_blocks(index, states, bool(self._trained_inside))
        adapter = self._adapter_at(index)
        if adapter is None:
            return states, {}
        with self._arithmetic(mixed=True):
            adapted = adapter({m: to_stream(state, state.tokens, present[m]) for m, state in states.items()})
        after = {
            m: state.with_tokens(state.layout.to_rows(adapted.streams[m].tokens, state.tokens))
            for m, state in states.items()
        }
        return after, adapted.importances

    def _adapter_at(self, index: int) -> Adapter | None:
        if self.active is None:
            return None
        placed = cast(nn.ModuleDict, self.adapters[self.active])
        return cast(Adapter, placed[str(index)]) if str(index) in placed else None

    def _activate(self, name: str | None) -> None:
        """Put this adapter in force instead of the active one; the only place where anything is switched."""
        if self.active is not None:
            for parameter in self.trainable_parameters():
                parameter.requires_grad_(False)
            for module in self._changes[self.active].modules:
                module.eval()
            self._changes[self.active].switch(False)
        self.active = name
        if name is not None:
            self._changes[name].switch(True)
            for parameter in self.trainable_parameters():
                parameter.requires_grad_(True)
            for module in self._changes[name].modules:
                module.train(self.training)

    def _check_name(self, name: str) -> None:
        if name not in self.adapters:
            raise ValueError(f"there is no adapter named {name!r}; the names are {list(self.adapters)}")


def to_stream(state: EncoderState, tokens: Tensor, present: Tensor) -> Stream:
    """A state's tokens (or others of the same rows) as adapters see them; absent clips have no true mask."""
    mask = state.layout.mask(state.mask) & present[:, None, None]
    return Stream(state.layout.to_segments(tokens), mask, present)
