"""What starts a tool must not load what it does not need, and training loads everything once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_world import World

TOOLS = Path(__file__).parents[1] / "tools"
HEAVY = {"torch", "numpy", "mmengine", "transformers", "lmdb", "av", "matplotlib", "rich"}

TO_THE_FIRST_STEP = """
import json, runpy, sys
from collections import Counter
from pathlib import Path
from unittest import mock

opened, called = Counter(), Counter()
sys.addaudithook(lambda event, args: opened.update([str(args[0])]) if event == "open" else None)


def counting(owner, name):
    before = getattr(owner, name)

    def call(*args, **kwargs):
        called[name] += 1
        return before(*args, **kwargs)

    mock.patch.object(owner, name, call).start()


class FirstStep(BaseException):
    pass


def stop(*args, **kwargs):
    raise FirstStep


import lstta_tasks.experiment.parts
import lstta_tasks.training.train
import seeded_encoders
from lstta_core import lockstep
from lstta_core.methods.lstta import adapter

counting(seeded_encoders, "_seeded")
counting(lockstep, "encoder_digest")
counting(adapter, "LongTermFilter")
counting(lstta_tasks.experiment.parts, "open_cache")
mock.patch.object(lstta_tasks.training.train.ProgressHook, "after_train_iter", stop).start()
sys.argv = sys.argv[1:]
sys.path.append(str(Path(sys.argv[0]).parent))  # behind all: torch imports profile, and tools/ has one
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except FirstStep:
    print(json.dumps({"opened": opened, "called": called, "modules": list(sys.modules)}))
"""
"""A tool's command line, up to the end of the first training step; prints what was done on the way."""


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


@pytest.mark.parametrize("hidden", ["transformers", "bitsandbytes"])
def test_mmengine_does_not_bring_in_what_it_knows_optimizers_of(hidden: str, tmp_path: Path) -> None:
    """Whoever installs one waits for it at no other time than when they use it, and reads nothing that it prints."""
    (tmp_path / f"{hidden}.py").write_text("print('here')\n")
    paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-W", "ignore", "-c", "import lstta_tasks.experiment.runner"]
    environment = os.environ | {"PYTHONPATH": paths}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert not result.stdout


@pytest.mark.parametrize("tool", ["train", "plugins"])
def test_profile_py_does_not_hide_the_standard_library(tool: str) -> None:
    """torch imports cProfile, which imports profile."""
    start = f"import runpy, sys; sys.argv = ['x', '--help']; sys.path.insert(0, {str(TOOLS)!r})"
    run = f"try: runpy.run_path({str(TOOLS / f'{tool}.py')!r}, run_name='__main__')\nexcept SystemExit: pass"
    subprocess.run([sys.executable, "-c", f"{start}\n{run}\nimport cProfile, profile; profile.run"], check=True)


def test_training_does_nothing_twice(world: World, tmp_path: Path) -> None:
    command = [str(TOOLS / "train.py"), str(world.config), "--work-dir", str(tmp_path / "run")]
    support = str(Path(sys.modules["small_world"].__file__ or "").parent)
    paths = os.pathsep.join([support, os.environ.get("PYTHONPATH", "")])
    result = subprocess.run(
        [sys.executable, "-c", TO_THE_FIRST_STEP, *command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert result.returncode == 0, result.stderr
    done = json.loads(result.stdout.splitlines()[-1])
    annotations = {Path(path).name: times for path, times in done["opened"].items() if str(world.root) in path}
    assert annotations == {"avqa-train.json": 1, "avqa-val.json": 1}
    stages = 2
    assert done["called"] == {"_seeded": 3, "encoder_digest": 3, "LongTermFilter": stages, "open_cache": 1}
    assert not {"transformers", "peft", "accelerate"} & set(done["modules"])
