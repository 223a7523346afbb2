"""Importing what counts MACs warns nobody."""

from __future__ import annotations

import subprocess
import sys


def test_the_tracer_is_imported_in_silence() -> None:
    """fvcore scripts losses of its own when it is imported, and torch warns of each, from 2.15 on visibly."""
    code = "import torch; import lstta_core.profiling.macs"
    done = subprocess.run([sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, check=True)
    assert "torch.jit.script" not in done.stderr
