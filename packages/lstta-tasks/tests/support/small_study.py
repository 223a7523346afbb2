"""A small study of the small data set, and what its runs made; lstta compare in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from small_world import World

REPOSITORY = Path(__file__).parents[4]
STUDY = """
budget = 1_000
seeds = {seeds!r}
settings = {{"train_cfg.max_epochs": 1, "model.adapted": 1, "clips.prefix": {prefix!r}}}
tasks = {{"films": dict(config={config!r}, seconds=2, prepare=["cache build CONFIG"])}}
methods = {{
    "none": dict(method=dict(name="none"), label="readout only"),
    "bottleneck": dict(method=dict(name="bottleneck", budget=budget)),
    "deaf": dict(
        method=dict(name="bottleneck", budget=budget),
        settings={{"model.modalities": ["visual", "language"]}},
        like="bottleneck",
    ),
    "full": dict(method=dict(name="full"), prefix=False, seeds=(0,)),
}}
search = dict(key="optim_wrapper.optimizer.lr", values=(1e-3, 1e-2), tasks=("films",), seed=0)
"""
SEARCH, TABLE = 6, 7


@pytest.fixture(scope="session")
def study(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    path = folder / "small.py"
    text = STUDY.format(seeds=(0, 1), config=str(world.config), prefix=str(folder / "prefix"))
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def finished(study: Path) -> Path:
    """The study with all its runs, made by two processes at once; beside it, what these said of them."""
    done = compare(study, "--jobs", "2", "--work-dir", str(study.parent / "runs"))
    (study.parent / "said.txt").write_text(done.stderr)
    return study


def compare(study: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The tool in a process of its own, which is what processes that it starts need."""
    support = REPOSITORY / "packages" / "lstta-tasks" / "tests" / "support"
    paths = os.pathsep.join(filter(None, [str(support), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, str(REPOSITORY / "tools/compare.py"), str(study), *arguments]
    result = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result


def files(study: Path) -> dict[str, dict[str, Any]]:
    results = study.parent / "results" / "small"
    return {
        str(path.relative_to(results).with_suffix("")): json.loads(path.read_text()) for path in results.rglob("*.json")
    }
