"""The whole run: tests, then row after row for as long as there is time."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from on_gpu.machine import about
from on_gpu.results import Results, Row
from on_gpu.rows import Plan

REPOSITORY = Path(__file__).parents[2]
TEST_SECONDS = 90.0
"""How long the tests marked gpu may take, more or less; they are ended after twice that."""


class Clock:
    """How much time there is.

    Args:
        minutes: from now on; None for as much as it takes.
    """

    def __init__(self, minutes: float | None) -> None:
        self.begun = time.monotonic()
        self.end = None if minutes is None else self.begun + 60 * minutes

    def has(self, seconds: float) -> bool:
        """Whether something that takes so long would end in time."""
        return self.end is None or time.monotonic() + seconds <= self.end


def run(plans: Sequence[Plan], *, device: torch.device, out: Path, clock: Clock, tests: bool) -> Results:
    """Measure all rows that there is time for; results are in ``out`` after each.

    A row that fails is written down with its error, and the next one begins.
    """
    results = Results(about(device))
    if tests:
        if clock.has(TEST_SECONDS):
            results.tests, results.tests_failed = run_tests()
        else:
            results.tests = "left out, for want of time"
        print(f"tests marked gpu: {results.tests}", flush=True)
    results.write(out)
    longest: dict[str, float] = {}
    for plan in plans:
        if not clock.has(longest.get(plan.kind, plan.seconds)):
            results.left_out.append(plan.name)
            print(f"{plan.name}: left out, for want of time", flush=True)
        else:
            row = _measure(plan)
            longest[plan.kind] = max(longest.get(plan.kind, 0.0), row.seconds)
            results.rows.append(row)
            print(_progress(row), flush=True)
        results.write(out)
    return results


def _measure(plan: Plan) -> Row:
    begun = time.monotonic()
    try:
        found, error = plan.measure(), None
    except Exception as failure:  # whatever it is, the other rows are wanted
        found, error = None, f"{type(failure).__name__}: {' '.join(str(failure).split())[:300]}"
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return Row(plan.name, time.monotonic() - begun, found, error)


def _progress(row: Row) -> str:
    if row.found is None:
        return f"{row.name}: failed after {row.seconds:.0f} s: {row.error}"
    return f"{row.name}: {row.found.ms:,.2f} ms, {row.seconds:.0f} s with building"


def run_tests() -> tuple[str, bool]:
    """Run the tests marked gpu in a process of their own: its last line with the failures, and whether any are."""
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-q", "-p", "no:cacheprovider", "tests/test_gpu.py"]
    try:
        result = subprocess.run(
            command,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
            timeout=2 * TEST_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"ended after {2 * TEST_SECONDS:.0f} s", True
    lines = [line.strip("= ") for line in result.stdout.splitlines() if line.strip()]
    failed = [line[:200] for line in lines if line.startswith(("FAILED", "ERROR"))]
    last = lines[-1] if lines else f"exit code {result.returncode}: {result.stderr.strip()[-200:]}"
    return "; ".join([last, *failed]), result.returncode != 0
