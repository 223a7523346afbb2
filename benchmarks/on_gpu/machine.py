"""The machine that this runs on: what it is, and whether its packages are those that ours ask for."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from datetime import date
from importlib import metadata
from typing import Any

import torch
import transformers
from packaging.requirements import Requirement

CARRIED = (
    "transformers",
    "onedl-mmengine",
    "lmdb",
    "fvcore",
    "iopath",
    "yapf",
    "yacs",
    "lstta-core",
    "lstta-tasks",
    "lstta-method-peft",
    "lstta-backbone-tiny",
    "lstta-backbone-transformers",
)
DONE_WITHOUT = ("av", "opencv-python-headless")
"""Asked for, and not needed here: nothing is decoded, and opencv may come under another name."""


def about(device: torch.device) -> dict[str, Any]:
    """What stands above the table."""
    on_gpu = device.type == "cuda"
    found = {
        "card": torch.cuda.get_device_name(device) if on_gpu else "CPU smoke",
        "torch": torch.__version__,
        "CUDA": torch.version.cuda if on_gpu else None,
        "driver": _driver() if on_gpu else None,
        "Python": platform.python_version(),
        "transformers": transformers.__version__,
        "cores": len(os.sched_getaffinity(0)),
        "date": date.today().isoformat(),
        "requirements not met": ", ".join(unmet()) or "none",
    }
    return {key: value for key, value in found.items() if value is not None}


def unmet() -> list[str]:
    """What the carried packages ask for and this machine does not have, each with what is there instead."""
    wrong = []
    for package in CARRIED:
        try:
            asked = metadata.requires(package) or []
        except metadata.PackageNotFoundError:
            wrong.append(f"{package} itself")
            continue
        for requirement in map(Requirement, asked):
            needed = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if not needed or requirement.name in DONE_WITHOUT:
                continue
            try:
                there = metadata.version(requirement.name)
            except metadata.PackageNotFoundError:
                there = "nothing"
            if there == "nothing" or not requirement.specifier.contains(there, prereleases=True):
                wrong.append(f"{package} wants {requirement.name}{requirement.specifier}, there is {there}")
    return wrong


def _driver() -> str | None:
    """The driver's version, where the tool that tells it is there."""
    if shutil.which("nvidia-smi") is None:
        return None
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.splitlines()[0].strip() if result.returncode == 0 and result.stdout else None
