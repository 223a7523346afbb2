"""The three encoders in lockstep, with adapters at the stages.

The way of a batch: ``embed`` of each encoder; for each stage, the blocks of each encoder up to it, then the adapter;
``finish``. Encoders are frozen and stay in eval mode. Several adapters may live on one set of encoders, by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from lstta_core.digests import encoder_digest
from lstta_core.interfaces import (
    Adapter,
    Encoder,
    EncoderOutput,
    EncoderState,
    Method,
    Modality,
    Stage,
    Stream,
    Streams,
    check_streams,
)

Inputs = Mapping[Modality, Mapping[str, Tensor]]


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

    Args:
        encoders: by modality. They are frozen and put in eval mode here.
        stages: K, how many places between blocks there are; at most the smallest depth, which is the default.
        adapted: how many of the last stages have adapters; all by default. What lies before them is a frozen prefix.

    Raises:
        ValueError: no encoder, an encoder under another modality's name, or stages or adapted out of range.
    """

    def __init__(
        self, encoders: Mapping[Modality, Encoder], *, stages: int | None = None, adapted: int | None = None
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
        self.stages = stages
        self.adapted = adapted
        self.encoders = nn.ModuleDict({m: encoders[m] for m in Modality if m in encoders})
        self.digests = {m: encoder_digest(encoder) for m, encoder in self.by_modality().items()}
        self.encoders.requires_grad_(False)
        self.encoders.eval()
        self.adapters = nn.ModuleDict()
        self.active: str | None = None
        self._encoder_parameters: dict[str, tuple[str, ...]] = {}

    def add_adapter(self, name: str, method: Method) -> None:
        """Put a method's adapters at the stages under this name and make them the active ones.

        Raises:
            ValueError: the name is taken.
        """
        if name in self.adapters:
            raise ValueError(f"there is an adapter named {name!r} already; the names are {list(self.adapters)}")
        trainable = tuple(method.prepare(self.by_modality()))
        for parameter in trainable:
            self.encoders.get_parameter(parameter).requires_grad_(True)
        placed = {}
        for index in range(self.stages - self.adapted + 1, self.stages + 1):
            adapter = method.adapter(self.stage(index))
            if adapter is not None:
                placed[str(index)] = adapter
        self.adapters[name] = nn.ModuleDict(placed)
        self._encoder_parameters[name] = trainable
        self.active = name

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

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """The model without its adapters at the stages, for as long as the context lasts."""
        active, self.active = self.active, None
        try:
            yield
        finally:
            self.active = active

    def train(self, mode: bool = True) -> TrimodalModel:
        """Train mode for the adapters; frozen encoders stay in eval mode, so that they do not drift."""
        super().train(mode)
        self.encoders.eval()
        return self

    def trainable_names(self) -> list[str]:
        """The names of all parameters that the active adapter trains, sorted."""
        if self.active is None:
            return []
        at_stages = [f"adapters.{self.active}.{name}" for name, _ in self.adapters[self.active].named_parameters()]
        return sorted([*at_stages, *(f"encoders.{name}" for name in self._encoder_parameters[self.active])])

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
        encoders = self.by_modality()
        present = {m: inputs[m]["present"] for m in encoders}
        states = {m: encoder.embed(inputs[m]) for m, encoder in encoders.items()}
        importances: list[Mapping[Modality, Tensor]] = []
        for index in range(1, self.stages + 1):
            states = {m: self._run_blocks(encoders[m], state, index) for m, state in states.items()}
            adapter = self._adapter_at(index)
            if adapter is None:
                continue
            adapted = adapter({m: to_stream(state, state.tokens, present[m]) for m, state in states.items()})
            states = {
                m: state.with_tokens(state.layout.to_rows(adapted.streams[m].tokens, state.tokens))
                for m, state in states.items()
            }
            if adapted.importances:
                importances.append(adapted.importances)
        outputs = {m: encoders[m].finish(state) for m, state in states.items()}
        streams = {m: to_stream(states[m], output.tokens, present[m]) for m, output in outputs.items()}
        check_streams(streams)
        return TrimodalOutput(streams, outputs, importances)

    def _run_blocks(self, encoder: Encoder, state: EncoderState, stage: int) -> EncoderState:
        first = blocks_before(stage - 1, encoder.depth, self.stages)
        for block in range(first, blocks_before(stage, encoder.depth, self.stages)):
            state = encoder.run_block(block, state)
        return state

    def _adapter_at(self, index: int) -> Adapter | None:
        if self.active is None:
            return None
        placed = cast(nn.ModuleDict, self.adapters[self.active])
        return cast(Adapter, placed[str(index)]) if str(index) in placed else None


def to_stream(state: EncoderState, tokens: Tensor, present: Tensor) -> Stream:
    """A state's tokens (or others of the same rows) as adapters see them; absent clips have no true mask."""
    mask = state.layout.mask(state.mask) & present[:, None, None]
    return Stream(state.layout.to_segments(tokens), mask, present)
