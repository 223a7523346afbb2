"""The three encoders in lockstep, with adapters at the stages.

The way of a batch: ``embed`` of each encoder; for each stage, the blocks of each encoder up to it, then the adapter;
``finish``. What lies before the first adapted stage is the *prefix*, what follows the *suffix*.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property, partial
from typing import Any, TypeVar, cast

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from lstta_core.adapter_set import AdapterSet, encoder_digest
from lstta_core.context import hearing, told
from lstta_core.front import run_block, with_front, without_front
from lstta_core.frozen import FrozenDtype, arithmetic, lower
from lstta_core.interfaces import Encoder, EncoderState, Inputs, Modality, Stage, TrimodalOutput, check_streams
from lstta_core.masks import Masks, to_stream
from lstta_core.preface import with_preface
from lstta_core.prefix import behind_the_prefix, brought

States = dict[Modality, EncoderState]
Step = TypeVar("Step", bound=Callable[..., Any])


def blocks_before(stage: int, depth: int, stages: int) -> int:
    """How many blocks an encoder of this depth has run at stage ``stage`` of ``stages``; all of them at the last."""
    return (2 * stage * depth + stages) // (2 * stages)


class TrimodalModel(AdapterSet):
    """Frozen encoders of one, two or three modalities and the adapters between their blocks.

    How adapters are named, switched and deleted is said in :class:`~lstta_core.adapter_set.AdapterSet`.

    Args:
        encoders: by modality. They are frozen and put in eval mode here.
        stages: K, how many places between blocks there are; at most the smallest depth, which is the default.
        adapted: how many of the last stages have adapters; all by default. What lies before them is a prefix, frozen
            unless a method trains inside the encoders.
        frozen_dtype: of the encoders' parameters: float32, bfloat16, float16, or None to leave them as they are.
            Buffers and batch norms keep their type. With a half precision the encoders compute in it, which is for
            ``embed`` to see to, and what trains stays in float32 under autocast. Float16 wants its loss scaled. With
            ``"int8"`` or ``"nf4"`` matrices take 8 or 4 bits a weight, see :mod:`~lstta_core.quantized`.
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
        frozen_dtype: FrozenDtype | None = None,
        checkpointing: bool = False,
    ) -> None:
        if not encoders:
            raise ValueError("a model needs at least one encoder")
        for modality, encoder in encoders.items():
            if encoder.modality != modality:
                raise ValueError(f"the encoder given as {modality} says that it reads {encoder.modality}")
        depths = {m: len(encoders[m].widths) for m in Modality if m in encoders}
        shallowest = min(depths.values())
        stages = shallowest if stages is None else stages
        if not 1 <= stages <= shallowest:
            said = {str(modality): depth for modality, depth in depths.items()}
            raise ValueError(f"stages={stages} must lie between 1 and the smallest depth; the depths are {said}")
        adapted = stages if adapted is None else adapted
        if not 0 <= adapted <= stages:
            raise ValueError(f"adapted={adapted} must lie between 0 and stages={stages}")
        crossed = {m: [blocks_before(k, depth, stages) for k in range(stages + 1)] for m, depth in depths.items()}
        places = [
            Stage(
                index=k,
                count=stages,
                widths={m: encoders[m].widths[crossed[m][k] - 1] for m in crossed},
                first=k == stages - adapted + 1,
            )
            for k in range(1, stages + 1)
        ]
        super().__init__(encoders, places[stages - adapted :], crossed)
        self.stages = stages
        self.adapted = adapted
        self.frozen_dtype = frozen_dtype
        self.checkpointing = checkpointing
        self._computing_again = False
        self.digests = {m: encoder_digest(encoder) for m, encoder in self.by_modality().items()}
        if frozen_dtype is not None:
            lower(self.encoders, frozen_dtype)

    def forward(
        self, inputs: Inputs, states: States | None = None, heard: dict[int, Any] | None = None
    ) -> TrimodalOutput:
        """Run the encoders together.

        Args:
            inputs: for each modality of the model, the tensors that its spec asks for and ``present`` (B,) bool.
            states: those at the first adapted stage, where they are at hand; else they are made of the inputs.
            heard: where an answer is to go on from here, is filled with what each stage's adapter has to know then, see
                :mod:`~lstta_core.speaking`.

        Raises:
            ValueError: a modality is missing, or the streams do not fit together.
        """
        missing = [m for m in self.encoders if m not in inputs]
        if missing:
            raise ValueError(f"the model reads {list(self.encoders)}; the inputs lack {missing}")
        if (preface := self.preface) is not None:
            return with_preface(self, preface, inputs, keep=heard is not None)
        present = {m: inputs[m]["present"] for m in self.by_modality()}
        states = self.prefix(inputs) if states is None else states
        bare, first = states, self.adapter_at(self.first_adapted)
        front = {} if first is None else first.front()
        if front:
            states = with_front(states, front, self.by_modality())
        importances: list[Mapping[Modality, Tensor]] = []
        carried: Mapping[Modality, Tensor | None] = {}
        masks = Masks(present)
        run_stage = self._computed_again(self._run_stage)
        for index in range(self.first_adapted, self.stages + 1):
            end = bare if front and index == self.stages and self.adapter_at(index) is None else None
            states, shown, carried = run_stage(index, states, masks, carried, heard, end)
            if shown:
                importances.append(shown)
        if front:
            states = without_front(states, bare)
        with self.arithmetic(mixed=bool(self.trained_inside)):
            finished = {m: encoder.finish(states[m]) for m, encoder in self.by_modality().items()}
        streams = {m: to_stream(states[m], tokens, present[m]) for m, tokens in finished.items()}
        check_streams(streams)
        return TrimodalOutput(streams, importances, {} if heard is None else states)

    def prefix(self, inputs: Inputs, modalities: Collection[Modality] = tuple(Modality)) -> States:
        """The encoders' states at the first adapted stage, before its adapter; at the last stage if none is adapted.

        Args:
            inputs: as of :meth:`forward`.
            modalities: whose states are wanted; until the first adapter they do not meet.

        Raises:
            ValueError: some inputs bring their state, others do not; or something trains inside the encoders.
        """
        encoders = {m: encoder for m, encoder in self.by_modality().items() if m in modalities}
        there = brought(self, inputs, encoders)
        mixed = not self.prefix_is_frozen
        with self.arithmetic(mixed=mixed):
            states = {m: encoder.embed(inputs[m]) for m, encoder in encoders.items() if m not in there}
        run_blocks = self._computed_again(self.run_blocks)
        for index in range(1, self.first_adapted + 1):
            states = run_blocks(index, states, {m: inputs[m]["present"] for m in encoders})
        return {**there, **states}

    @property
    def first_adapted(self) -> int:
        """The stage whose states :meth:`prefix` gives."""
        return min(self.stages - self.adapted + 1, self.stages)

    @property
    def prefix_is_frozen(self) -> bool:
        """Whether :meth:`prefix` always gives the same for the same inputs, and may be cached.

        What trains inside the encoders must lie in blocks behind the prefix, as :meth:`Encoder.block` names them.
        """
        return all(name.startswith(self._behind_the_prefix) for name in self.trained_inside)

    @cached_property
    def _behind_the_prefix(self) -> tuple[str, ...]:
        return behind_the_prefix(self)

    def run_blocks(
        self,
        index: int,
        states: States,
        present: Mapping[Modality, Tensor] | None = None,
        bare: States | None = None,
    ) -> States:
        """The states after the blocks between the stage before and this one; of the encoders that have a state.

        Args:
            index: of this stage.
            states: at the one before.
            present: (B,), bool, by modality; None for a part of an answer, whose states know what they have heard.
            bare: where nothing reads what becomes of tokens in front, states without them: so are those after the last
                block then.
        """
        mixed = not self.prefix_is_frozen if index <= self.first_adapted else bool(self.trained_inside)
        hear = self.hear if mixed else None
        if hear is not None and present is not None and index > 1:
            states = told(index, states, present)
        after = {}
        with self.arithmetic(mixed=mixed):
            encoders = self.by_modality()
            for modality, state in states.items():
                with hearing(hear, index, state):
                    for block in range(self.crossed[modality][index - 1], self.crossed[modality][index]):
                        state = run_block(encoders[modality], block, state, None if bare is None else bare[modality])
                after[modality] = state
        return after

    def _run_stage(
        self,
        index: int,
        states: States,
        masks: Masks,
        carried: Mapping[Modality, Tensor | None],
        heard: dict[int, Any] | None,
        bare: States | None,
    ) -> tuple[States, Mapping[Modality, Tensor], Mapping[Modality, Tensor | None]]:
        """The blocks before this stage, unless the prefix had them, and its adapter.

        Returns:
            States, importances, and what the adapter leaves for the next one.
        """
        if index > self.first_adapted:
            states = self.run_blocks(index, states, masks.present, bare)
        adapter = self.adapter_at(index)
        if adapter is None:
            return states, {}, carried
        streams = masks.streams(states, carried)
        with self.arithmetic(mixed=True):
            if self.training and not self._computing_again:
                adapter.measure(streams)
            plan = masks.plan(adapter, streams)
            adapted = adapter(streams) if plan is None else adapter(streams, plan)
        if heard is not None:
            heard[index] = streams if adapted.heard is None else adapted.heard
        after = {
            m: state.with_tokens(state.layout.to_rows(adapted.streams[m].tokens, state.tokens))
            for m, state in states.items()
        }
        return after, adapted.importances, {m: stream.carried for m, stream in adapted.streams.items()}

    def _computed_again(self, step: Step) -> Step:
        """The step; with checkpointing it keeps only its arguments and is computed again in the backward pass."""
        if self.checkpointing and torch.is_grad_enabled():
            again = partial(checkpoint, step, use_reentrant=False, context_fn=lambda: (nullcontext(), self._again()))
            return cast(Step, again)
        return step

    @contextmanager
    def _again(self) -> Iterator[None]:
        """Around a stage that is computed again: adapters have measured its batch already."""
        self._computing_again = True
        try:
            yield
        finally:
            self._computing_again = False

    def arithmetic(self, *, mixed: bool) -> AbstractContextManager[object]:
        """The arithmetic of the frozen type, mixed with float32 around what trains; nothing where that type is None."""
        if self.frozen_dtype is None:
            return nullcontext()
        return arithmetic(self.frozen_dtype, self.device.type, mixed=mixed)
