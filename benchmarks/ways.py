"""Models that benchmarks take steps of: LSTTA and what it is compared with, on one set of encoders and inputs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from random_encoders import copies, small_encoders
from torch import Tensor, nn

from lstta_core.compiling import compile_parts
from lstta_core.fast_linear import fast_linear
from lstta_core.interfaces import Encoder, Modality, TrimodalOutput
from lstta_core.lockstep import States, TrimodalModel
from lstta_core.method import create_method
from lstta_core.methods.projections import BATCHES, Standardised
from lstta_core.prefix import suffix
from lstta_core.readout import Readout
from lstta_core.testing.inputs import synthetic_inputs

SETTINGS = ("float32", "bfloat16", "autocast")
ANSWERS = 42
LSTTA: dict[str, Any] = {"name": "lstta", "width": 64}
METHODS: dict[str, dict[str, Any]] = {
    "bottleneck": {"name": "bottleneck", "width": 64},
    "LoRA, r = 16 on q and v": {"name": "lora", "r": 16},
    "full fine-tuning": {"name": "full"},
}


@dataclass(frozen=True)
class Size:
    """What is measured: ``last`` stages of ``stages`` are the last third of the blocks, or next to it.

    Attributes:
        encoders: makes them, freshly.
        clips: of a batch.
        words: of a text, in ids.
        sound_seconds: of a segment.
        frame: height and width in pixels, for encoders that read any.
    """

    encoders: Callable[[Size], dict[Modality, Encoder]]
    clips: int
    words: int
    stages: int
    last: int
    segments: int = 8
    sound_seconds: float = 0.5
    frame: tuple[int, int] = (56, 84)


def _small(size: Size) -> dict[Modality, Encoder]:
    return small_encoders(frame=size.frame, seconds=size.segments * size.sound_seconds)


SMALL = Size(_small, clips=4, words=16, stages=4, last=1)
BASE = Size(lambda _: copies("base"), clips=16, words=24, stages=12, last=4, sound_seconds=1.25)
TINY = Size(lambda _: copies("tiny"), clips=2, words=5, stages=2, last=1, sound_seconds=1.25)


class Way:
    """A model and how one step of it is taken.

    Args:
        size: of the encoders and the batch.
        settings: one of ``SETTINGS``.
        method: its name and options; None for the frozen forward pass.
        adapted: how many stages; None for all.
        cached: whether the prefix is at hand.
        compiled: options of torch.compile; None for none.
        capturable: whether a CUDA graph may hold the optimizer's update.
        device: where.
    """

    def __init__(
        self,
        *,
        size: Size,
        settings: str,
        method: dict[str, Any] | None,
        adapted: int | None = None,
        cached: bool = False,
        compiled: Mapping[str, Any] | None = None,
        capturable: bool = False,
        device: torch.device,
    ) -> None:
        torch.manual_seed(0)
        self.settings, self.device, self.compiled, self.clips = settings, device, compiled, size.clips
        encoders = size.encoders(size)
        dtype = torch.bfloat16 if settings == "bfloat16" else None
        self.model = TrimodalModel(encoders, stages=size.stages, adapted=adapted, frozen_dtype=dtype)
        self.inputs = self.batch(size)
        self.model.to(device)
        if method is not None:
            self.model.add_adapter("default", create_method(model=self.model, **method).method)
        for part in self.model.modules():  # a step as all but the first are: what tokens have in common is measured
            if isinstance(part, Standardised):
                part.batches.fill_(BATCHES)
        if compiled is not None:
            compile_parts(self.model, **compiled)
        self.head = nn.Sequential(
            Readout(widths={m: encoder.widths[-1] for m, encoder in encoders.items()}), nn.Linear(128, ANSWERS)
        ).to(device)
        self.present = {m: values["present"] for m, values in self.inputs.items()}
        self.target = torch.arange(size.clips, device=device) % ANSWERS
        self.trains = method is not None
        parameters = [*self.model.trainable_parameters(), *self.head.parameters()] if self.trains else []
        self.trainable = sum(parameter.numel() for parameter in self.model.trainable_parameters())
        self.optimizer = (
            torch.optim.AdamW(parameters, lr=1e-4, fused=True, capturable=capturable) if parameters else None
        )
        self.states: States | None = None
        if cached:
            self.states = self.prefix()

    def batch(self, size: Size, seed: int = 0) -> dict[Modality, dict[str, Tensor]]:
        """Random clips of this size with a text each, on the device."""
        return {
            m: {
                key: value.to(self.device)
                for key, value in synthetic_inputs(
                    encoder.spec,
                    batch=size.clips,
                    segments=size.segments,
                    ragged=False,
                    seed=seed,
                    sound_seconds=size.sound_seconds,
                    text_length=size.words,
                ).items()
            }
            for m, encoder in self.model.by_modality().items()
        }

    def prefix(self) -> States:
        """The states at the first adapted stage, computed now."""
        with torch.no_grad(), self.context():
            return self.model.prefix(self.inputs)

    def context(self) -> AbstractContextManager[Any]:
        """What the settings put around the forward pass."""
        stack = ExitStack()
        plain = self.settings == "float32" and self.device.type == "cpu" and self.compiled is None
        stack.enter_context(fast_linear(enabled=plain))
        stack.enter_context(torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.settings == "autocast"))
        return stack

    def step(self) -> None:
        """One step: zero gradients, forward, backward, update; or the forward pass alone."""
        if self.compiled is not None and self.device.type == "cuda":
            torch.compiler.cudagraph_mark_step_begin()
        if self.optimizer is None:
            with torch.no_grad(), self.context():
                self.loss()
            return
        self.optimizer.zero_grad(set_to_none=True)
        with self.context():
            loss = self.loss()
        loss.backward()
        self.optimizer.step()

    def resident(self) -> int:
        """Bytes that are there between two steps."""
        kept: list[Tensor] = [*self.model.parameters(), *self.model.buffers(), *self.head.parameters()]
        if self.optimizer is not None:
            kept += [value for state in self.optimizer.state.values() for value in state.values()]
        if self.states is None:
            kept += [tensor for values in self.inputs.values() for tensor in values.values()]
        else:
            kept += [state.tokens for state in self.states.values()]
        return sum(tensor.nbytes for tensor in kept)

    def loss(self) -> Tensor:
        """Of the batch, (), with its graph."""
        output: TrimodalOutput
        if self.states is None:
            output = self.model(self.inputs)
        else:
            output = suffix(self.model, self.states, self.present)
        return F.cross_entropy(self.head(output).float(), self.target)


def seconds_of(step: Callable[[], None], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        start = time.perf_counter()
        step()
        torch.cuda.synchronize(device)
        return time.perf_counter() - start
    start = time.process_time()
    step()
    return time.process_time() - start
