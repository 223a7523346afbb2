"""PyAV is imported where a file is decoded, and nowhere else: a cache trains, evaluates and answers without it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_world import World

IMPORTS = """
import sys
sys.modules["av"] = None  # importing it is now an error
from importlib import import_module
for name in (
    "adapters", "annotations.subtitles", "cli.main", "data.build_cache", "doctor.examine", "explain.explain",
    "explain.infer", "importances.measure", "plugin", "prefix.build", "retrieval.embed", "retrieval.retriever",
    "study.make", "tasks.retrieval",
):
    import_module(f"lstta_tasks.{name}")
"""

WORK = """
from pathlib import Path
from unittest import mock
from children import grey_picture
from lstta_tasks.adapters import load
from lstta_tasks.explain import picture as drawing
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.training.train import train

mock.patch.object(drawing, "picture", grey_picture).start()
path, folder = sys.argv[1], Path(sys.argv[2])
train(load_config(path, {"train_cfg.max_epochs": 1}), work_dir=folder)
report, details = evaluate(load_config(path), folder / "best", "val")
experiment = Experiment(load_config(path))
predictor = load(folder / "best", experiment.encoders)
dataset = experiment.dataset("val")
answers = predictor.answer([dataset[index] for index in range(3)])
assert [one["answer"] for one in answers] == [
    details["predictions"][sample.id]["answer"] for sample in dataset.samples[:3]
]
try:
    predictor.predict("film.mp4", "is it loud?")
except ImportError:
    print("no decoder")
"""


def python(code: str, *arguments: object) -> str:
    support = str(Path(sys.modules["small_world"].__file__ or "").parent)
    paths = os.pathsep.join([support, os.environ.get("PYTHONPATH", "")])
    result = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_nothing_imports_pyav_before_it_decodes() -> None:
    assert python(IMPORTS) == ""


@pytest.mark.parametrize("code", [IMPORTS + WORK])
def test_a_cache_trains_evaluates_and_answers(world: World, tmp_path: Path, code: str) -> None:
    assert python(code, world.config, tmp_path / "run").splitlines()[-1] == "no decoder"
