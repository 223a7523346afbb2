"""What somebody has who installs wheels and one plugin, and nothing else; then a broken plugin comes beside it."""

from __future__ import annotations

import json
import os
import subprocess
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DISTRIBUTIONS = ("packages/lstta-core", "packages/lstta-tasks", "examples/lstta-backbone-template")

CONFIG = """
from lstta_core.testing import ToyAudio, ToyLanguage
from mmengine.optim import LinearLR
from torch.optim import AdamW

seed = 0
log_interval = 1
task = dict(name="avqa", root="data")
encoders = dict(visual=dict(name="template-visual"), audio=dict(type=ToyAudio), language=dict(type=ToyLanguage))
method = dict(name="lstta", width=8, heads=2, latents=2)
model = dict(stages=2, readout=dict(width=16, heads=2))
clips = dict(segments=4, sound_seconds=1.0, fit="squash", cache="cache", codec="raw")
loader = dict(batch_size=4, workers=0)
optim_wrapper = dict(optimizer=dict(type=AdamW, lr=1e-2))
train_cfg = dict(max_epochs=1, val_interval=1)
param_scheduler = [dict(type=LinearLR, start_factor=0.1, by_epoch=False, begin=0, end=2)]
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
        self.python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"

    def run(self, *arguments: str | Path) -> str:
        """Run Python there, apart from the environment of the tests; what it printed."""
        clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "LSTTA_PLUGINS")}
        command = [str(self.python), *(str(argument) for argument in arguments)]
        done = subprocess.run(command, cwd=self.folder, env=clean, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def tool(self, name: str, *arguments: str | Path) -> str:
        """Run one of the repository's tools there."""
        return self.run(ROOT / "tools" / name, *arguments)

    def install(self, *arguments: str | Path) -> None:
        self.run("-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", *arguments)


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_wheels_and_a_plugin_train_and_a_broken_one_does_no_harm(tmp_path: Path) -> None:
    here = Environment(tmp_path)
    wheels = tmp_path / "wheels"
    here.run("-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", wheels, *(ROOT / d for d in DISTRIBUTIONS))
    built = sorted(wheels.glob("*.whl"))
    assert [wheel.name.split("-")[0] for wheel in built] == ["lstta_backbone_template", "lstta_core", "lstta_tasks"]
    here.install("torch")
    here.install(*built)
    config = tmp_path / "template.py"
    config.write_text(CONFIG, encoding="utf-8")

    assert states(here) == {"core": "ok", "tasks": "ok", "template": "ok"}
    here.tool("generate.py", "avqa", "--out", "data", "--train", "2", "--val", "1", "--test", "1", "--workers", "1")
    here.tool("cache.py", "build", config, "--workers", "1")
    train(here, config, "alone")

    install_broken(here)
    assert states(here) == {"broken": "broken", "core": "ok", "tasks": "ok", "template": "ok"}
    (line,) = [line for line in here.tool("plugins.py").splitlines() if line.startswith("broken ")]
    assert "lstta-backbone-broken 0.3.0" in line
    assert "ZeroDivisionError" in line
    assert ", 0 failed, " in here.tool("plugins.py", "check", "template-visual")
    train(here, config, "beside-a-broken-one")


def states(here: Environment) -> dict[str, str]:
    return {report["name"]: report["state"] for report in json.loads(here.tool("plugins.py", "--json"))}


def train(here: Environment, config: Path, run: str) -> None:
    """A few steps; the adapter that comes out names the template's encoder and its licence."""
    here.tool("train.py", config, "--work-dir", run)
    record = json.loads((here.folder / run / "best/adapter.json").read_text(encoding="utf-8"))
    visual = record["encoders"]["visual"]
    assert visual["name"] == "template-visual"
    assert visual["base"] == {"name": "lstta-backbone-template", "licence": "Apache-2.0"}
    assert 0 < record["parameters"]["trainable"] < record["parameters"]["total"]
    assert record["command"] == f"tools/train.py {config}"
    assert "Apache-2.0" in (here.folder / run / "best/README.md").read_text(encoding="utf-8")


def install_broken(here: Environment) -> None:
    project = here.folder / "broken"
    (project / "lstta_backbone_broken").mkdir(parents=True)
    (project / "pyproject.toml").write_text(BROKEN, encoding="utf-8")
    (project / "lstta_backbone_broken/__init__.py").write_text("1 / 0\n", encoding="utf-8")
    here.install("--no-deps", project)
