"""What a study's result files say beside the scores."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import pytest

from lstta_tasks.study import run


@pytest.mark.parametrize("engine", ["mmengine", "onedl-mmengine"])
def test_the_engine_is_named_as_the_distribution_that_is_installed(engine: str, monkeypatch: Any) -> None:
    def version(name: str) -> str:
        if name in ("mmengine", "onedl-mmengine") and name != engine:
            raise metadata.PackageNotFoundError(name)
        return "7.11.13"

    monkeypatch.setattr(run, "version", version)
    monkeypatch.setattr(run, "packages_distributions", lambda: {"mmengine": [engine], "torch": ["torch"]})
    found = run.versions()
    assert found.keys() == {"python", "lstta-core", "lstta-tasks", "torch", "numpy", engine}
    assert found[engine] == "7.11.13"
