"""Time and memory of something that is run several times."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch
from torch.profiler import ProfilerActivity, profile


@dataclass(frozen=True)
class Measurement:
    """Of one kind of call.

    Attributes:
        seconds: of each timed call, in order.
        peak_bytes: the most that tensors made during one call held at a time, on top of what was there before it.
    """

    seconds: tuple[float, ...]
    peak_bytes: int

    @property
    def median(self) -> float:
        return median(self.seconds)


def measure(call: Callable[[], object], *, device: torch.device, repeats: int = 5, warmup: int = 1) -> Measurement:
    """Call something several times, and once more for its memory.

    Memory is what torch's allocator hands out: on a GPU its own peak, on a CPU the running sum over every allocation
    and release that torch's profiler saw in one call. Unlike a process's resident size it is the same every time; the
    scratch space of libraries that allocate by themselves (oneDNN, MKL) is not in it.

    Args:
        call: what is measured; its result is dropped.
        device: where it computes; a GPU is waited for.
        repeats: timed calls.
        warmup: calls before those, not timed.
    """
    for _ in range(warmup):
        call()
    seconds = []
    for _ in range(repeats):
        _wait(device)
        start = time.perf_counter()
        call()
        _wait(device)
        seconds.append(time.perf_counter() - start)
    return Measurement(tuple(seconds), _peak_on_gpu(call, device) if device.type == "cuda" else _peak_on_cpu(call))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _peak_on_gpu(call: Callable[[], object], device: torch.device) -> int:
    _wait(device)
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    call()
    _wait(device)
    return torch.cuda.max_memory_allocated(device) - before


def _peak_on_cpu(call: Callable[[], object]) -> int:
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        call()
    assert profiler.profiler is not None
    kineto = profiler.profiler.kineto_results
    assert kineto is not None
    changes = [event for event in kineto.events() if event.name() == "[memory]"]
    in_use = peak = 0
    for event in sorted(changes, key=lambda event: event.start_ns()):
        in_use += event.nbytes()
        peak = max(peak, in_use)
    return peak
