"""Two data sets that write their paths alike, with one cache: neither is ever given the other's clips."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from small_world import CONFIG, write_film

Tool = Callable[..., Any]
NAMES = [f"clip_{number}.mp4" for number in range(6)]
SPLITS = ("train", "train", "train", "val", "val", "test")
SHARED_CASES = Path(os.environ.get("LSTTA_SHARED", Path(__file__).parents[2] / "shared")) / "cases" / "two_csvs"


@dataclass(frozen=True)
class Two:
    """Two CSV files, each with its clips beside it, and a config for each; both configs name one cache."""

    configs: dict[str, Path]
    cache: Path
    run: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of both, made once: in ``b`` the clips have each other's names."""
    folder = tmp_path_factory.mktemp("two")
    for number, name in enumerate(NAMES):
        (folder / "a/vids").mkdir(parents=True, exist_ok=True)
        (folder / "b/vids").mkdir(parents=True, exist_ok=True)
        write_film(folder / "a/vids" / name, loud=number % 2 == 0, bright=number < 3, shade=number)
        shutil.copy(folder / "a/vids" / name, folder / "b/vids" / NAMES[-1 - number])
    for one in "ab":
        lines = [f"vids/{name},{'in' if i % 2 else 'out'},{SPLITS[i]}" for i, name in enumerate(NAMES)]
        (folder / one / "my.csv").write_text("\n".join(["video,label,split", *lines, ""]))
    return folder


def two(data: Path, folder: Path) -> Two:
    configs = {}
    for one in "ab":
        text = CONFIG.format(root="", cache=str(folder / "cache"))
        task = f"task = dict(name='classification', path={str(data / one / 'my.csv')!r})\n"
        configs[one] = folder / f"{one}.py"
        configs[one].write_text(text + task + "train_cfg['max_epochs'] = 1\n")
    return Two(configs, folder / "cache", folder / "run")


def refused(result: Any, one: str, other: str) -> None:
    assert result.code == 2, result.out
    assert "of the clips in the cache are of other files than the annotations name" in result.err
    assert f"the cache has {one}" in result.err
    assert f"the annotations name {other}" in result.err
    assert "clips.cache" in result.err


@pytest.fixture(scope="module")
def trained(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on ``a`` with its cache."""
    from lstta_tasks.cli import cache, train

    folder = tmp_path_factory.mktemp("trained")
    both = two(made, folder)
    cache.main(["build", str(both.configs["a"]), "--workers", "1"])
    train.main([str(both.configs["a"]), "--work-dir", str(both.run)])
    return folder


@pytest.fixture
def both(made: Path, trained: Path, tmp_path: Path) -> Two:
    shutil.copytree(trained / "cache", tmp_path / "cache")
    shutil.copytree(trained / "run", tmp_path / "run")
    return two(made, tmp_path)


def test_whatever_reads_clips_refuses_those_of_the_other(tool: Tool, made: Path, both: Two, tmp_path: Path) -> None:
    config, best = both.configs["b"], both.run / "best"
    has, named = str(made / "a/vids/clip_0.mp4"), str(made / "b/vids/clip_0.mp4")
    refused(tool("train", config, "--work-dir", tmp_path / "new"), has, named)
    assert not (tmp_path / "new").exists()
    has, named = str(made / "a/vids/clip_5.mp4"), str(made / "b/vids/clip_5.mp4")
    refused(tool("test", config, best, "--split", "test"), has, named)
    refused(tool("importance", config, best, "--split", "test"), has, named)
    prefix = ("--cfg-options", f"clips.prefix={tmp_path / 'prefix'}", "model.adapted=1")
    refused(tool("cache", "prefix", config, "--split", "test", *prefix), has, named)
    assert tool("cache", "prefix", both.configs["a"], *prefix).code == 0
    refused(tool("train", config, "--work-dir", tmp_path / "new", *prefix), str(made / "a"), str(made / "b"))
    assert tool("test", both.configs["a"], best, "--split", "test").code == 0


def test_a_build_tells_what_it_replaces(tool: Tool, made: Path, both: Two) -> None:
    built = tool("cache", "build", both.configs["b"], "--workers", 1)
    assert built.code == 0
    assert "6 clips of other files were there, and are replaced" in built.err
    assert f"the cache has {made / 'a/vids/clip_0.mp4'}" in built.err
    assert tool("test", both.configs["b"], both.run / "best", "--split", "test").code == 0
    refused(tool("test", both.configs["a"], both.run / "best", "--split", "test"), str(made / "b"), str(made / "a"))


@pytest.mark.slow
@pytest.mark.real_data
def test_the_case_itself(tool: Tool, tmp_path: Path) -> None:
    if not SHARED_CASES.is_dir():
        pytest.skip(f"{SHARED_CASES} is not there: set LSTTA_SHARED")
    both = two(SHARED_CASES, tmp_path)
    assert tool("cache", "build", both.configs["a"]).code == 0
    assert tool("train", both.configs["a"], "--work-dir", both.run).code == 0
    refused(tool("train", both.configs["b"], "--work-dir", tmp_path / "b"), str(SHARED_CASES / "a"), str(SHARED_CASES))
    for split in ("val", "test"):
        result = tool("test", both.configs["b"], both.run / "best", "--split", split)
        refused(result, str(SHARED_CASES / "a"), str(SHARED_CASES / "b"))
