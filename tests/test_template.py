"""The templates of plugins pass their own tests, as whoever copies them runs them; the page on tasks is right."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from inspect import isabstract
from pathlib import Path

import pytest
from small_world import write_film

from lstta_tasks.answers.kind import AnswerKind
from lstta_tasks.task import Task

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
TAGS = EXAMPLES / "lstta-task-template"
BLOCK = re.DOTALL | re.MULTILINE
PAGE = (ROOT / "docs" / "writing-a-task.md").read_text(encoding="utf-8")


def environment(folder: Path) -> dict[str, str]:
    """With the package of a template, as if it were installed."""
    paths = [str(folder / "src"), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.mark.parametrize("template", sorted(path.name for path in EXAMPLES.glob("*-template")))
def test_the_template_passes_its_own_test(template: str, tmp_path: Path) -> None:
    folder = EXAMPLES / template
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [*command, str(folder / "tests")], cwd=tmp_path, env=environment(folder), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_the_task_fits_on_one_screen() -> None:
    lines = (TAGS / "src" / "lstta_task_template" / "tags.py").read_text(encoding="utf-8").splitlines()
    code = [line for line in lines if line.strip()]
    assert len(code) <= 70  # with its docstrings


@pytest.mark.parametrize("base", [Task, AnswerKind])
def test_the_page_names_all_that_must_be_written(base: type) -> None:
    needed = base.__abstractmethods__  # type: ignore[attr-defined]
    assert [name for name in sorted(needed) if not re.search(rf"`{name}[(`]|^{name} = ", PAGE, re.MULTILINE)] == []


def test_the_page_lists_every_kind_of_answer() -> None:
    folder = ROOT / "packages" / "lstta-tasks" / "src" / "lstta_tasks" / "answers"
    modules = [import_module(f"lstta_tasks.answers.{path.stem}") for path in folder.glob("[a-z]*.py")]
    defined = {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, AnswerKind) and value.__module__ == module.__name__
        if not isabstract(value)  # a part of a kind is none
    }
    assert set(re.findall(r"^\| `(\w+\.\w+)\(", PAGE, re.MULTILINE)) == defined


def test_the_commands_that_train_it_run(tmp_path: Path) -> None:
    """Over films that are made in seconds, in the place of the demo's."""
    films = tmp_path / "data" / "built-in" / "avqa" / "videos"
    films.mkdir(parents=True)
    for first, count in ((0, 8), (10_000_000, 4)):
        for number in range(count):
            write_film(films / f"{first + number:08d}.mp4", loud=number % 2 == 0)
    command = tmp_path / "bin" / "lstta"  # as pip puts it there
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lstta_tasks "$@"\n')
    command.chmod(0o755)
    (commands,) = (block for block in re.findall(r"^```\w*\n(.*?)^```", PAGE, BLOCK) if "data/mine" in block)
    installed = tmp_path / "installed" / "lstta_task_template-0.2.0.dist-info"  # pip's work, without a network
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: lstta-task-template\nVersion: 0.2.0\n")
    (installed / "entry_points.txt").write_text("[lstta]\ntask-template = lstta_task_template\n")
    settings = environment(TAGS)
    settings["PYTHONPATH"] = os.pathsep.join([str(installed.parent), settings["PYTHONPATH"]])
    settings["PATH"] = os.pathsep.join([str(command.parent), settings["PATH"]])
    done = subprocess.run(["bash", "-euc", commands], cwd=tmp_path, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert (tmp_path / "work_dirs" / "mine_tags" / "best" / "adapter.json").is_file()
