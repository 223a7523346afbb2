"""Where a run was made: commit, packages and device, in one JSON file of the run folder."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import torch

import lstta_tasks
from lstta_core.whole_files import write_json

FILE = "environment.json"
SECONDS = 10
"""After which git is not waited for."""


def write_environment(work_dir: Path, *, command: str | None, step: int) -> None:
    """Add the start of a training, or of its going on, to the run folder's file.

    Args:
        work_dir: the run folder.
        command: that was typed, where one was.
        step: with which it begins.
    """
    path = work_dir / FILE
    begun = read_environment(path)
    write_json(path, {"begun": [*begun, {"step": step, "command": command, **environment()}]})


def read_environment(path: Path) -> list[dict[str, Any]]:
    """The starts that a run folder's file has; none where there is no such file, or it is none of ours."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    found = content.get("begun") if isinstance(content, dict) else None
    return found if isinstance(found, list) else []


def environment() -> dict[str, Any]:
    """What this process runs on.

    ``git`` says of the working directory, and of where lstta-tasks comes from, the commit and whether tracked files
    differ from it; None where there is no repository, or no git.
    """
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "git": {"working directory": commit_of(Path.cwd()), "lstta": commit_of(Path(lstta_tasks.__file__).parent)},
        "device": device(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": packages(),
    }


def commit_of(folder: Path) -> dict[str, Any] | None:
    """The commit that a folder's repository stands at, and whether it is ``dirty``; None where nothing can be told."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit.strip(), "dirty": None if changes is None else bool(changes.strip())}


def device() -> dict[str, Any]:
    """The GPU that this process computes on, or the processor, with what it has of memory and cores."""
    if torch.cuda.is_available():
        found = torch.cuda.get_device_properties(torch.cuda.current_device())
        return {
            "name": found.name,
            "memory": found.total_memory,
            "count": torch.cuda.device_count(),
            "cuda": torch.version.cuda,
        }
    return {"name": _processor(), "cores": os.cpu_count(), "threads": torch.get_num_threads()}


@cache
def packages() -> dict[str, str]:
    """The versions of all installed distributions, by name."""
    found = {found.metadata["Name"]: found.version for found in distributions() if found.metadata["Name"]}
    return dict(sorted(found.items(), key=lambda one: one[0].lower()))


def _processor() -> str:
    about = Path("/proc/cpuinfo")  # of Linux, where platform knows no name
    lines = about.read_text(encoding="utf-8", errors="replace").splitlines() if about.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _git(folder: Path, *words: str) -> str | None:
    # A repository's own settings run no programs here, and nothing is written into it.
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *words]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
            env=environment,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
