"""One row of the table: time, memory and kernels of a step that is taken many times."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import quantiles
from typing import Any, Protocol

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile
from ways import seconds_of

from lstta_core.profiling import measure

NO_KERNELS = ("Memcpy", "Memset", "Optimizer.", "ProfilerStep")
"""How the names of what the device did besides begin: copies, fills, and ranges that torch marks."""
LAUNCHES = ("cudaLaunchKernel", "cudaLaunchCooperativeKernel", "cuLaunchKernel", "cudaGraphLaunch")
"""How the names of the host's calls begin that start one kernel, or a graph of them."""


class Steps(Protocol):
    """Something whose step is measured.

    Attributes:
        trainable: parameters that the method trains, readout and head not counted.
        clips: of a step.
    """

    trainable: int
    clips: int

    def step(self) -> None:
        """Take one step; the device may still be busy with it afterwards."""

    def resident(self) -> int:
        """Bytes that are there between two steps."""


@dataclass(frozen=True)
class Limits:
    """How long a row is measured: ``warmup`` steps that are not counted, then ``most`` steps, or fewer than that,
    at least ``least``, once ``seconds`` are over."""

    warmup: int
    least: int
    most: int
    seconds: float


@dataclass(frozen=True)
class Found:
    """What measuring a row gives.

    Attributes:
        clips: of a step.
        trainable: parameters.
        steps: that were timed.
        ms: of a step, median.
        quartiles: first and third, of the same.
        peak_gib: the most memory that torch's allocator held; on a CPU what is resident and a step's peak on top. None
            where it was not measured.
        kernels: that the device ran in one step, copies and fills of memory not among them; None on a CPU.
        launches: calls of the host that started them: a graph of many kernels is one.
        note: what else there is to say.
    """

    clips: int
    trainable: int
    steps: int
    ms: float
    quartiles: tuple[float, float]
    peak_gib: float | None
    kernels: int | None = None
    launches: int | None = None
    note: str = ""


def measured(steps: Steps, device: torch.device, limits: Limits, note: str = "") -> Found:
    """Warm up, take steps, and one more under the profiler.

    Args:
        steps: what is measured.
        device: where it computes; it is waited for before and after each step.
        limits: how many.
        note: for the row.
    """
    for _ in range(limits.warmup):
        steps.step()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    begun, taken = time.perf_counter(), []
    while len(taken) < limits.most and (len(taken) < limits.least or time.perf_counter() - begun < limits.seconds):
        taken.append(1000 * seconds_of(steps.step, device))
    kernels, launches, trouble = counted(steps.step, device)
    return Found(
        clips=steps.clips,
        trainable=steps.trainable,
        steps=len(taken),
        **middle(taken),
        peak_gib=peak(steps, device) / 2**30,
        kernels=kernels,
        launches=launches,
        note="; ".join(text for text in (note, trouble) if text),
    )


def middle(taken: list[float]) -> dict[str, Any]:
    """Median and quartiles of milliseconds, as fields of :class:`Found`."""
    first, median, third = quantiles(taken, n=4) if len(taken) > 1 else taken * 3
    return {"ms": median, "quartiles": (first, third)}


def peak(steps: Steps, device: torch.device) -> int:
    """Bytes: on a GPU the most since the peak was last reset."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return steps.resident() + measure(steps.step, device=device, repeats=0, warmup=0).peak_bytes


def counted(step: Callable[[], object], device: torch.device) -> tuple[int | None, int | None, str]:
    """Kernels that one step runs, calls that launch them, and why they could not be counted, if so."""
    if device.type != "cuda":
        return None, None, ""
    try:
        torch.cuda.synchronize(device)
        with profile(activities=[ProfilerActivity.CUDA]) as profiler:
            step()
            torch.cuda.synchronize(device)
        assert profiler.profiler is not None
        kineto = profiler.profiler.kineto_results
        assert kineto is not None
        return (*tally(kineto.events()), "")
    except (RuntimeError, AssertionError) as error:  # a driver may not let anybody count
        return None, None, f"kernels not counted: {error}"


def tally(events: Iterable[Any]) -> tuple[int, int]:
    """Kernels and launches among the profiler's events."""
    told = [(event.device_type(), event.name()) for event in events if not event.is_user_annotation()]
    kernels = sum(where == DeviceType.CUDA and not name.startswith(NO_KERNELS) for where, name in told)
    launches = sum(where == DeviceType.CPU and name.startswith(LAUNCHES) for where, name in told)
    return kernels, launches
