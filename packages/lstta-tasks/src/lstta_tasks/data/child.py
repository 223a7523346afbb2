"""Processes of our own beside this one: they import what this one does, and nothing from the working directory.

Python puts the working directory first on the path of ``python -m``. Where that is a folder from a stranger, a file of
its own that is called ``numpy.py`` would be run.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def command(module: str, *arguments: str) -> list[str]:
    """That runs a module in another process."""
    return [sys.executable, "-Pm", module, *arguments]


def environment() -> dict[str, str]:
    """Of such a process: it finds the same packages, wherever the program that started us put them."""
    here = Path.cwd()
    paths = [path for path in sys.path if path and Path(path).is_absolute() and Path(path) != here]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1"}
