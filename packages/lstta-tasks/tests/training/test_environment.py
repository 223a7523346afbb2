"""Where a run was made, in its folder: with a repository, without one, and without git."""

from __future__ import annotations

import json
import os
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from lstta_tasks.training.environment import FILE, commit_of, environment, write_environment

NOBODY = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
WHO = ("-c", "user.name=somebody", "-c", "user.email=somebody@nowhere")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *WHO, "-C", str(folder), *words],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **NOBODY},
    )
    return done.stdout.strip()


def test_commit_and_changes(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert commit_of(tmp_path) is None  # nothing is committed yet
    (tmp_path / "a.txt").write_text("one")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "one")
    commit = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "new.txt").write_text("nobody tracks this")
    assert commit_of(tmp_path / "sub") == {"commit": commit, "dirty": False}
    (tmp_path / "a.txt").write_text("two")
    assert commit_of(tmp_path) == {"commit": commit, "dirty": True}


def test_no_repository_and_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit_of(tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environment()["git"] == {"working directory": None, "lstta": None}


def test_each_start_is_added(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{", encoding="utf-8")  # not ours: begun anew
    write_environment(tmp_path, command="lstta train one", step=0)
    write_environment(tmp_path, command=None, step=7)
    begun = json.loads((tmp_path / FILE).read_text(encoding="utf-8"))["begun"]
    assert [(start["step"], start["command"]) for start in begun] == [(0, "lstta train one"), (7, None)]
    assert begun[0]["packages"]["torch"] == version("torch")
    assert begun[0]["device"]["name"]


def test_a_run_has_it(run: Path) -> None:
    (start,) = json.loads((run / FILE).read_text(encoding="utf-8"))["begun"]
    assert start["step"] == 0
    assert start["packages"]["lstta-tasks"] == version("lstta-tasks")
