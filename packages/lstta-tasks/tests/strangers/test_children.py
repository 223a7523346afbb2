"""Processes that are started in a stranger's folder import nothing from it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_world import write_film

from lstta_tasks.cli import demo
from lstta_tasks.data.build_cache import build_cache
from lstta_tasks.data.child import environment
from lstta_tasks.data.clip import ClipSource, Preprocessing
from lstta_tasks.data.verify_cache import verify_cache

MODULES = ("av", "lmdb", "numpy", "tqdm", "json", "socket", "struct", "lstta_tasks", "multiprocessing", "PIL", "torch")
SETTINGS = Preprocessing(segments=2, frame_size=(8, 8), sample_rate=8000, sound_seconds=0.1)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory where each module that a child imports stands as a file that leaves a trace."""
    folder = tmp_path / "stranger"
    folder.mkdir()
    trap = f"open({str(tmp_path / 'trapped')!r}, 'w').write(__name__)\nraise SystemExit('trapped')\n"
    for name in MODULES:
        (folder / f"{name}.py").write_text(trap)
    monkeypatch.chdir(folder)
    return folder


def test_decoders_and_verifiers(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = tmp_path / "a.mp4"
    write_film(film)
    monkeypatch.setattr(sys, "path", ["", str(here), *sys.path])
    report = build_cache(tmp_path / "cache", [ClipSource("a", film)], SETTINGS, workers=1)
    assert (report.built, report.failed) == (1, {})
    assert verify_cache(tmp_path / "cache") == (1, {})
    assert not (tmp_path / "trapped").exists()


def test_the_path_of_children(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["", str(here), "lib", "/somewhere", *sys.path])
    paths = environment()["PYTHONPATH"].split(os.pathsep)
    assert paths[0] == "/somewhere"
    assert not {"", str(here), "lib"} & set(paths)


def test_commands_that_run_commands(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the demo and of studies, run for real as far as their help."""
    commands: list[list[str]] = []

    def run(command: list[str]) -> subprocess.CompletedProcess[bytes]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(subprocess, "run", run)
    assert demo.main([]) == 1
    monkeypatch.undo()
    done = subprocess.run([*commands[0][:3], "--version"], capture_output=True, text=True, cwd=here)
    assert (done.returncode, done.stdout.split()[0]) == (0, "lstta")
    assert not (here.parent / "trapped").exists()


def test_the_trap_catches(here: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "lstta_tasks"], capture_output=True, text=True, cwd=here)
    assert (done.returncode, done.stderr.strip()) == (1, "trapped")
    assert (here.parent / "trapped").exists()
    assert np.__file__ is not None
