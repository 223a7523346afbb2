"""What a study's result files say beside the scores."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import pytest

from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.study import run
from lstta_tasks.study.definition import Run, load_study
from lstta_tasks.study.run_config import configured


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


@pytest.mark.parametrize("task", ["ave", "one_visual"])
def test_every_method_of_a_shipped_study_can_be_built_at_its_budget(task: str) -> None:
    """One that an encoder refuses would be found hours later, when its turn comes."""
    study = load_study("ave")
    for method, compared in study.methods.items():
        found = Experiment(configured(study, Run(task, method, study.seeds[0], None)))
        off = found.choice.parameters / (compared.method.get("budget") or study.budget or 1) - 1
        assert method == "none" or abs(off) <= run.TOLERANCE, method
