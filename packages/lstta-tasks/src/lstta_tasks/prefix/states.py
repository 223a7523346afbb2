"""The frozen prefix, clip by clip and text by text, for a prefix cache."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lstta_core.interfaces import EncoderState, LanguageSpec, Modality
from lstta_core.states import as_segments, join_states, shared_extras, token_axes
from lstta_tasks.data.batch import audio_inputs, language_inputs, visual_inputs
from lstta_tasks.data.resumable_build import ResumableBuild
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.prefix.prefix_cache import pack_state, pack_tensors, shared_key

_NEAR = 0.01
"""How far, as a part of its norm, a state may be off by rounding; what another text does to it is far more."""


@dataclass(frozen=True)
class StateJob:
    """One state to compute: its key, and the id of its clip or its text."""

    key: str
    modality: Modality
    source: str | None


class PrefixStates:
    """Computes states and writes them.

    Args:
        experiment: whose model, clips and preprocessing these are.
        length: what texts are padded to.
    """

    def __init__(self, experiment: Experiment, length: int) -> None:
        self.experiment = experiment
        self.models = experiment.prefix.models
        self.length = length
        self._shared: dict[Modality, dict[str, Tensor]] = {}
        self._steady: set[Modality] = set()

    def write(self, build: ResumableBuild, job: StateJob) -> None:
        """One state; before the first of its modality, what all of them share.

        Raises:
            ValueError: the encoder's states cannot be kept: they are random, or depend on other texts or on the batch.
        """
        inputs = self._inputs(job)
        state = self._state(job.modality, inputs)
        if job.modality not in self._steady and state.mask.any():
            self._check_steady(job.modality, inputs, state)
        if job.modality not in self._shared:
            self._share(build, job.modality, inputs, state)
        shared = self._shared[job.modality]
        if not all(torch.equal(state.extras[name], tensor) for name, tensor in shared.items()):
            raise ValueError(f"clips.prefix: what the {job.modality} encoder's blocks need besides tokens is not fixed")
        length = int(inputs["mask"].sum()) if job.modality is Modality.LANGUAGE else 0
        own = self._own(job.modality, state)
        record = pack_state(job.key, own, present=bool(inputs["present"]), length=length)
        build.add(job.key, record)

    def _share(self, build: ResumableBuild, modality: Modality, inputs: dict[str, Tensor], state: EncoderState) -> None:
        twice = self._state(modality, {name: torch.cat([value, value]) for name, value in inputs.items()})
        shared = {name: state.extras[name] for name in shared_extras(state, twice)}
        axes: dict[str, list[int]] = {}
        if modality is Modality.LANGUAGE and self.length > 1:
            shorter = {name: inputs[name][..., :-1] for name in ("ids", "mask")}
            axes = token_axes(state, self._state(modality, inputs | shorter))
        self._shared[modality] = shared
        if modality is Modality.LANGUAGE and self.experiment.task.timed_text:
            self._check_rows(inputs)
        build.add(shared_key(modality), pack_tensors(shared_key(modality), shared, {"token_axes": axes}))

    def _check_steady(self, modality: Modality, inputs: dict[str, Tensor], state: EncoderState) -> None:
        """Nothing that decoding does is random, but an encoder of one's own may add noise or drop what it reads."""
        if not _near(self._state(modality, inputs), state):
            raise ValueError(
                f"clips.prefix: the {modality} encoder makes something else of the same input each time, so that it "
                "cannot be computed once: take what is random out of it, or leave clips.prefix out"
            )
        self._steady.add(modality)

    def _check_rows(self, inputs: dict[str, Tensor]) -> None:
        """Texts of segments are kept one by one: raise a ValueError where one changes the state of another."""
        whole, first = torch.ones_like(inputs["mask"]), torch.zeros_like(inputs["mask"])
        first[..., 0] = True
        same = inputs["ids"][..., :1].expand_as(whole)
        one, two = {**inputs, "mask": whole}, {**inputs, "ids": same, "mask": first}
        both = {name: torch.cat([one[name], two[name]], dim=1) for name in ("ids", "mask")}
        together = self._state(Modality.LANGUAGE, {**inputs, **both})
        rows = [self._own(Modality.LANGUAGE, self._state(Modality.LANGUAGE, row)) for row in (one, two)]
        if not _agree(as_segments(join_states(rows, self._shared[Modality.LANGUAGE]), 2), together):
            raise ValueError(
                f"clips.prefix: the task {self.experiment.task.name} has a text for each segment, and what the "
                "language encoder makes of one depends on the others: leave clips.prefix out"
            )

    def _own(self, modality: Modality, state: EncoderState) -> EncoderState:
        """The state without what all of its modality share."""
        shared = self._shared[modality]
        return replace(state, extras={name: value for name, value in state.extras.items() if name not in shared})

    def _state(self, modality: Modality, inputs: dict[str, Tensor]) -> EncoderState:
        here = {name: value.to(self.models[modality].device) for name, value in inputs.items()}
        return self.models[modality].prefix({modality: here}, [modality])[modality]

    def _inputs(self, job: StateJob) -> dict[str, Tensor]:
        if job.modality is Modality.LANGUAGE:
            spec = self.models[Modality.LANGUAGE].by_modality()[Modality.LANGUAGE].spec
            assert isinstance(spec, LanguageSpec)
            return language_inputs([[job.source]], spec, at_least=self.length)
        assert job.source is not None
        clip = self.experiment.cache.read(job.source)
        return visual_inputs([clip]) if job.modality is Modality.VISUAL else audio_inputs([clip])


def _agree(one: EncoderState, two: EncoderState) -> bool:
    """Whether two states place the same tokens in the same segments, with content that is near."""
    here, there = one.layout, two.layout
    if there.index is not None or (here.segments, here.rows_per_clip) != (there.segments, there.rows_per_clip):
        return False
    if not (torch.equal(one.mask, two.mask) and torch.equal(here.segment, there.segment)):
        return False
    if {name: tensor.shape for name, tensor in one.extras.items()} != {n: t.shape for n, t in two.extras.items()}:
        return False
    return _near(one, two)


def _near(one: EncoderState, two: EncoderState) -> bool:
    content, other = (state.tokens[state.mask].float() for state in (one, two))
    return bool((content - other).norm() <= _NEAR * other.norm())
