"""Systems that these tests never run on, played on Linux: no POSIX calls, spawned processes, other paths.

What is played, and what is not, says ``as_on_windows/sitecustomize.py``. Windows and macOS themselves: never run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from same_end import assert_same_end
from small_world import World

HERE = Path(__file__).parent
SUPPORT = HERE.parent / "packages" / "lstta-tasks" / "tests" / "support"

IT_IS_PLAYED = """
import subprocess, sys, os, tempfile
space = {"__package__": "lstta_tasks"}
exec("import os, sys, signal", space)
assert (space["os"].name, space["sys"].platform) == ("nt", "win32")
assert not hasattr(space["os"], "fork") and not hasattr(space["signal"], "SIGKILL")
for code in ("import fcntl", "from os import sched_getaffinity", "import resource"):
    try:
        exec(code, space)
    except ImportError:
        continue
    raise AssertionError(code)
with tempfile.NamedTemporaryFile() as file:
    try:
        os.replace(file.name, file.name + "2")
    except PermissionError:
        print("played")
"""

BUILD = """
import sys
from pathlib import Path
from lstta_tasks.data.build_cache import build_cache, prune_cache
from lstta_tasks.data.verify_cache import verify_cache
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment

if __name__ == "__main__":
    config, cache = Path(sys.argv[1]), Path(sys.argv[2])
    experiment = Experiment(load_config(config))
    sources = experiment.task.sources()
    for wanted in (sources[:2], sources[:4]):  # one in the place of the other
        report = build_cache(cache, wanted, experiment.preprocessing, workers=2)
        assert not report.failed, report.failed
        assert report.built == 2
    assert build_cache(cache, sources[:4], experiment.preprocessing).built == 0
    assert prune_cache(cache, [source.id for source in sources[:3]]) == 1
    assert verify_cache(cache) == (3, {})
    print([path.name for path in sorted(cache.parent.iterdir())])
"""

TRAIN = """
import sys
from pathlib import Path
from lstta_tasks.adapters import load
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.training.train import train
from children import skip_pictures

if __name__ == "__main__":
    skip_pictures()
    config, folder, workers = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    for epochs, resume in ((1, False), (3, True)):
        options = {"train_cfg.max_epochs": epochs, "loader.workers": workers}
        train(load_config(config, options), work_dir=folder, resume=resume)
    report, _ = evaluate(load_config(config), folder / "best", "val")
    print(report.score(report.primary).value)
"""


def as_on_windows(*arguments: object, cwd: Path | None = None) -> str:
    """What a Python prints that finds what Windows has."""
    paths = [str(HERE / "as_on_windows"), str(SUPPORT), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONWARNDEFAULTENCODING": "1",
        "PYTHONIOENCODING": "cp1252",
    }
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, encoding="cp1252")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def script(folder: Path, code: str) -> Path:
    path = folder / "script.py"  # a file: spawned processes import it
    path.write_text(code, encoding="utf-8")
    return path


class TestAsOnWindows:
    def test_it_is_played(self) -> None:
        assert as_on_windows("-c", IT_IS_PLAYED).split() == ["played"]

    def test_a_cache_is_built_grown_pruned_and_verified(self, world: World, tmp_path: Path) -> None:
        said = as_on_windows(script(tmp_path, BUILD), world.config, tmp_path / "caches" / "new")
        assert "'new'" in said
        assert "partial" not in said

    def test_training_resumes_to_the_same_end(self, world: World, run: Path, tmp_path: Path) -> None:
        as_on_windows(script(tmp_path, TRAIN), world.config, tmp_path / "run", 0)
        assert_same_end(run, tmp_path / "run")

    @pytest.mark.slow
    def test_with_spawned_workers_too(self, world: World, run: Path, tmp_path: Path) -> None:
        as_on_windows(script(tmp_path, TRAIN), world.config, tmp_path / "run", 2)
        assert_same_end(run, tmp_path / "run")
