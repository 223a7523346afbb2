"""Training as the engine does it, from a real cache through the real loader and its worker processes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.runner_model import RunnerModel
from lstta_tasks.training.train import optim_wrapper
from on_gpu.measuring import Found, counted, middle
from on_gpu.prepared import config

REPEATS = 1000  # of the samples, so that no epoch ends and no worker starts anew while time runs
WARMUP = 3


def train_for(
    seconds: float,
    *,
    folder: Path,
    encoders: Literal["base", "tiny"],
    device: torch.device,
    options: dict[str, Any] | None = None,
) -> Found:
    """Steps of ``--amp`` training (without it on a CPU), for so many seconds.

    The device is waited for after each step, as the engine does when it reads the loss. A step's time has the wait for
    its batch in it.

    Args:
        seconds: after ``WARMUP`` steps.
        folder: that :func:`on_gpu.prepared.prepare` made.
        encoders: their size.
        device: where.
        options: of the config, such as ``{"loader.workers": 2}``.
    """
    experiment = Experiment(config(folder, encoders, options))
    samples = experiment.task.samples("train")
    loader = experiment.loader("train", experiment.dataset_of(samples * REPEATS))
    model = RunnerModel(model=experiment.model, task=experiment.task).to(device).train()
    trainable = sum(p.numel() for p in model.model.lockstep_models()["trimodal"].trainable_parameters())
    optimizer = optim_wrapper(experiment.config, model.model, amp=device.type == "cuda")
    batches = iter(loader)
    clips = experiment.config.loader["batch_size"]
    batch: dict[str, Any] = {}

    def step() -> dict[str, Tensor]:
        losses: dict[str, Tensor] = model.train_step(batch, optim_wrapper=optimizer)
        return losses

    taken: list[float] = []
    waited, loss = 0.0, 0.0
    number, end = 0, float("inf")
    while time.perf_counter() < end:
        begun = time.perf_counter()
        batch = next(batches)
        ready = time.perf_counter()
        loss = step()["loss"].item()  # waits for the device
        number += 1
        if number == WARMUP:
            end = time.perf_counter() + seconds
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats(device)
        elif number > WARMUP:
            taken.append(1000 * (time.perf_counter() - begun))
            waited += 1000 * (ready - begun)
    peak = torch.cuda.max_memory_allocated(device) / 2**30 if device.type == "cuda" else None
    kernels, launches, trouble = counted(step, device)
    workers = experiment.config.loader["workers"]
    note = f"{waited / sum(taken):.1%} of {sum(taken) / 1000:.0f} s waiting for data, {workers} workers, "
    note += f"{1000 * clips * len(taken) / sum(taken):,.0f} clips/s, last loss {loss:.3f}"
    return Found(
        clips=clips,
        trainable=trainable,
        steps=len(taken),
        **middle(taken),
        peak_gib=peak,
        kernels=kernels,
        launches=launches,
        note="; ".join(text for text in (note, trouble) if text),
    )
