"""A training step as one CUDA graph: the host launches once what it otherwise launches kernel by kernel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor
from ways import Way

from lstta_core.interfaces import EncoderState

WARMUP = 3
"""Steps before the capture, as torch asks for: libraries allocate then, and the optimizer makes its state."""


class CapturedStep:
    """A way whose step, from the states at the first adapted stage on, is one graph: forward, backward and update.

    The prefix, where it is not cached, runs before each replay as it always does, since embedding sound waits for the
    device, which no graph can hold. Its states are copied to where the graph reads them.

    Args:
        way: on a GPU, made with ``capturable=True``; ``WARMUP`` steps of it are taken here.

    Attributes:
        peak: the most bytes held while it was captured: a replay allocates nothing that could be seen.
    """

    def __init__(self, way: Way) -> None:
        if way.optimizer is None:
            raise ValueError("a captured step trains something: give a way with a method")
        self.way, self.cached = way, way.states is not None
        self.trainable, self.clips = way.trainable, way.clips
        torch.cuda.reset_peak_memory_stats()
        way.states = {m: _own(state) for m, state in (way.states or way.prefix()).items()}
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARMUP):
                way.step()
        torch.cuda.current_stream().wait_stream(aside)
        way.optimizer.zero_grad(set_to_none=True)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            way.step()
        self.peak = torch.cuda.max_memory_allocated()

    def step(self) -> None:
        """One step."""
        if not self.cached:
            assert self.way.states is not None
            for m, state in self.way.prefix().items():
                for to, fresh in zip(_tensors(self.way.states[m]), _tensors(state), strict=True):
                    to.copy_(fresh)
        self.graph.replay()

    def resident(self) -> int:
        """Bytes that are there between two steps, the graph's own memory not among them."""
        return self.way.resident()


def _own(state: EncoderState) -> EncoderState:
    """A copy whose tensors can be written to."""
    layout = state.layout
    index = None if layout.index is None else layout.index.clone()
    filled = None if layout.filled is None else layout.filled.clone()
    return replace(
        state,
        tokens=state.tokens.clone(),
        mask=state.mask.clone(),
        layout=replace(layout, segment=layout.segment.clone(), index=index, filled=filled),
        extras={name: tensor.clone() for name, tensor in state.extras.items()},
    )


def _tensors(state: EncoderState) -> Iterator[Tensor]:
    parts = (state.tokens, state.mask, state.layout.segment, state.layout.index, state.layout.filled)
    yield from (part for part in parts if part is not None)
    yield from (state.extras[name] for name in sorted(state.extras))
