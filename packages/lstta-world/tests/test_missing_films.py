"""Films are rendered by processes that import nothing from the working directory."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from lstta_world import missing_films
from lstta_world.missing_films import _away_from_here


def test_spawned_processes_keep_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), *sys.path])
    before = list(sys.path)
    for name in ("multiprocessing", "numpy", "av", "pickle"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'trapped')!r}, 'w')\nraise SystemExit('trapped')\n")
    monkeypatch.setattr(missing_films, "_write", print)
    with _away_from_here():
        assert os.environ["PYTHONSAFEPATH"] == "1"
        assert not {"", str(tmp_path)} & set(sys.path)
        context = missing_films.multiprocessing.get_context("spawn")
        with missing_films.ProcessPoolExecutor(1, mp_context=context) as pool:
            assert pool.submit(os.getpid).result() != os.getpid()
    assert sys.path == before
    assert "PYTHONSAFEPATH" not in os.environ
    assert not (tmp_path / "trapped").exists()
