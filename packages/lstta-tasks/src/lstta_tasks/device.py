"""Where a model runs: on a GPU where there is one, unless somebody says otherwise."""

from __future__ import annotations

import torch

KINDS = "cpu, cuda, or one of several GPUs, such as cuda:1"


def device_of(asked: str | torch.device | None = None) -> torch.device:
    """The device that is meant; a GPU that has a number becomes the process's own.

    Args:
        asked: ``"cpu"``, ``"cuda"``, ``"cuda:1"``; by default a GPU where there is one, else the CPU.

    Raises:
        ValueError: it is none of these, or there is no such GPU.
    """
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if asked is None:
        return torch.device("cuda" if there else "cpu")
    try:
        device = torch.device(asked)
    except RuntimeError:  # torch lists all the kinds that it knows
        device = None
    if device is None or device.type not in ("cpu", "cuda"):
        raise ValueError(f"--device {asked}: one of {KINDS} is wanted")
    if device.type == "cuda" and (device.index or 0) >= there:
        have = "there is none that torch can use" if not there else f"there are {there}, counted from cuda:0"
        raise ValueError(f"--device {asked} needs a GPU, and {have}")
    if device.index is not None and device.type == "cuda":
        torch.cuda.set_device(device)
    return device


def half_of(device: torch.device) -> torch.dtype:
    """Half precision as the device computes it: bfloat16, or float16 on cards that are older than it."""
    slow = device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.float16 if slow else torch.bfloat16
