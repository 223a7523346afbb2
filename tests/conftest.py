"""Fixtures of the tests across packages: the small data set of lstta-tasks' own tests, and the tools."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "packages" / "lstta-tasks" / "tests" / "support"))

from shared import few_pictures, run, world
from small_study import finished, study

__all__ = ["few_pictures", "finished", "run", "study", "tool", "world"]
REPOSITORY = Path(__file__).parents[1]


class Result(NamedTuple):
    """What a tool did."""

    code: int
    out: str
    err: str


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run a tool's command line in this process: ``tool("train", "config.py", "--resume")``."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(REPOSITORY / "tools")])  # tools import common

    def call(name: str, *arguments: object) -> Result:
        script = REPOSITORY / "tools" / f"{name}.py"
        monkeypatch.setattr(sys, "argv", [str(script), *map(str, arguments)])
        capsys.readouterr()
        code: object = 0
        try:
            runpy.run_path(str(script), run_name="__main__")
        except SystemExit as exit_:
            code = exit_.code or 0
        assert isinstance(code, int), code
        return Result(code, *capsys.readouterr())

    return call
