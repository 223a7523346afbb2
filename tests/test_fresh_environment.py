"""What somebody has who installs wheels and one plugin alone: the command ``lstta``, in an empty folder. Then a broken
plugin comes beside it."""

from __future__ import annotations

import json
import os
import subprocess
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DISTRIBUTIONS = (
    "packages/lstta-core",
    "packages/lstta-tasks",
    "packages/lstta-world",
    "packages/lstta-backbones/lstta-backbone-tiny",
    "examples/lstta-backbone-template",
)

CONFIG = """
from mmengine.config import read_base

with read_base():
    from lstta_tasks.configs.avqa.tiny_lstta import *

encoders.update(visual=dict(name="template-visual"))
method.update(width=8, heads=2, latents=2)
model.update(stages=2, adapted=1)
clips.update(segments=4, cache="cache")
loader.update(batch_size=4, workers=0)
train_cfg.update(max_epochs=1)
"""

BROKEN = """
[build-system]
requires = ["hatchling>=1.25"]
build-backend = "hatchling.build"

[project]
name = "lstta-backbone-broken"
version = "0.3.0"

[project.entry-points.lstta]
broken = "lstta_backbone_broken"

[tool.hatch.build.targets.wheel]
packages = ["lstta_backbone_broken"]
"""


class Environment:
    """A virtual environment of its own and a folder to work in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder / "venv", with_pip=True)
        self.scripts = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        self.work = folder / "empty"
        self.work.mkdir()

    def run(self, *command: str | Path) -> str:
        """Run something there, apart from the environment of the tests; what it printed."""
        clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "LSTTA_PLUGINS")}
        words = [str(word) for word in command]
        done = subprocess.run(words, cwd=self.work, env=clean, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def python(self, *arguments: str | Path) -> str:
        return self.run(self.scripts / "python", *arguments)

    def lstta(self, *arguments: str | Path) -> str:
        return self.run(self.scripts / "lstta", *arguments)

    def install(self, *arguments: str | Path) -> None:
        self.python("-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", *arguments)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """With wheels alone: that of lstta-tasks is built from its sdist, the others from the tree."""
    made = Environment(tmp_path_factory.mktemp("fresh"))
    wheels, sdists = made.folder / "wheels", made.folder / "sdists"
    made.install("hatchling")
    made.run(made.scripts / "hatchling", "build", "--help")
    build = [made.scripts / "python", "-m", "hatchling", "build", "-t", "sdist", "-d", str(sdists)]
    subprocess.run(build, cwd=ROOT / "packages/lstta-tasks", check=True, capture_output=True)
    (sdist,) = sdists.glob("*.tar.gz")
    sources = [sdist if name == "packages/lstta-tasks" else ROOT / name for name in DISTRIBUTIONS]
    made.python("-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", wheels, *sources)
    built = sorted(wheels.glob("*.whl"))
    assert len(built) == len(DISTRIBUTIONS)
    made.install("torch")
    made.install(*built)
    return made


@pytest.mark.slow
@pytest.mark.timeout(2400)
class TestWheels:
    def test_from_an_empty_folder_to_an_answer(self, here: Environment) -> None:
        config, adapter = "avqa/tiny_lstta", "work_dirs/tiny_lstta/best"
        assert config in here.lstta("configs")
        assert "max_epochs=2" in here.lstta("configs", config, "--show")
        assert states(here) == {"core": "ok", "tasks": "ok", "template": "ok", "tiny": "ok"}
        sizes = ("--train", "4", "--val", "2", "--test", "2", "--workers", "1")
        here.lstta("generate", "avqa", "--out", "data/built-in/avqa", *sizes)
        assert "8 decoded now" in here.lstta("cache", "build", config, "--workers", "1")
        here.lstta("doctor", config)
        here.lstta("train", config, "--cfg-options", "train_cfg.max_epochs=1", "loader.workers=0")
        assert "overall" in here.lstta("test", config, adapter, "--json", "test.json")
        clip = next((here.work / "data/built-in/avqa").rglob("*.mp4"))
        assert "page: " in here.lstta("infer", adapter, clip, "Is the violin in the video always playing?")
        assert "peak memory" in here.lstta("profile", config, "--repeats", "1", "--text-length", "5")
        record = json.loads((here.work / adapter / "adapter.json").read_text(encoding="utf-8"))
        assert record["command"].startswith(f"lstta train {config}")

    def test_a_plugin_trains_and_a_broken_one_does_no_harm(self, here: Environment) -> None:
        config = here.work / "template.py"
        config.write_text(CONFIG, encoding="utf-8")
        here.lstta("cache", "build", config, "--workers", "1")
        train(here, config, "alone")

        install_broken(here)
        assert states(here) == {"broken": "broken", "core": "ok", "tasks": "ok", "template": "ok", "tiny": "ok"}
        (line,) = [line for line in here.lstta("plugins").splitlines() if line.startswith("broken ")]
        assert "lstta-backbone-broken 0.3.0" in line
        assert "ZeroDivisionError" in line
        assert ", 0 failed, " in here.lstta("plugins", "check", "template-visual")
        train(here, config, "beside-a-broken-one")


def states(here: Environment) -> dict[str, str]:
    return {report["name"]: report["state"] for report in json.loads(here.lstta("plugins", "--json"))}


def train(here: Environment, config: Path, run: str) -> None:
    """A few steps; the adapter that comes out names the template's encoder and its licence."""
    here.lstta("train", config, "--work-dir", run)
    record = json.loads((here.work / run / "best/adapter.json").read_text(encoding="utf-8"))
    visual = record["encoders"]["visual"]
    assert visual["name"] == "template-visual"
    assert visual["base"] == {"name": "lstta-backbone-template", "licence": "Apache-2.0"}
    assert 0 < record["parameters"]["trainable"] < record["parameters"]["total"]
    assert record["command"] == f"lstta train {config}"
    assert "Apache-2.0" in (here.work / run / "best/README.md").read_text(encoding="utf-8")


def install_broken(here: Environment) -> None:
    project = here.folder / "broken"
    (project / "lstta_backbone_broken").mkdir(parents=True)
    (project / "pyproject.toml").write_text(BROKEN, encoding="utf-8")
    (project / "lstta_backbone_broken/__init__.py").write_text("1 / 0\n", encoding="utf-8")
    here.install("--no-deps", project)
