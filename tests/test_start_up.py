"""What starts a tool must not load what it does not need, and training loads everything once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[1] / "tools"
HEAVY = {"torch", "numpy", "mmengine", "transformers", "lmdb", "av", "matplotlib", "rich"}


def imported(*command: str) -> set[str]:
    """The top-level names of the modules that a Python command imports."""
    result = subprocess.run(
        [sys.executable, "-X", "importtime", *command], capture_output=True, text=True, check=True, env=os.environ
    )
    lines = [line for line in result.stderr.splitlines() if line.startswith("import time:")]
    assert len(lines) > 20
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize("tool", sorted(path.stem for path in TOOLS.glob("*.py") if path.stem != "common"))
def test_help_imports_nothing_heavy(tool: str) -> None:
    assert not HEAVY & imported(str(TOOLS / f"{tool}.py"), "--help")


def test_listing_plugins_imports_nothing_heavy() -> None:
    names = imported(str(TOOLS / "plugins.py"))
    assert not HEAVY & names
    assert "lstta_core" in names


@pytest.mark.parametrize("tool", ["train", "plugins"])
def test_profile_py_does_not_hide_the_standard_library(tool: str) -> None:
    """torch imports cProfile, which imports profile."""
    start = f"import runpy, sys; sys.argv = ['x', '--help']; sys.path.insert(0, {str(TOOLS)!r})"
    run = f"try: runpy.run_path({str(TOOLS / f'{tool}.py')!r}, run_name='__main__')\nexcept SystemExit: pass"
    subprocess.run([sys.executable, "-c", f"{start}\n{run}\nimport cProfile, profile; profile.run"], check=True)
