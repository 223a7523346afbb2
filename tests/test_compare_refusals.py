"""What lstta compare refuses: results, options and studies that do not fit."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lstta_tasks.study.definition import load_study

Tool = Callable[..., Any]
REPOSITORY = Path(__file__).parents[1]


def test_damaged_results_are_named(tool: Tool, finished: Path) -> None:
    path = next((finished.parent / "results/small/films").glob("deaf-*-seed1.json"))
    content = path.read_text()
    for damaged in ("", "[]", json.dumps({key: value for key, value in json.loads(content).items() if key != "data"})):
        path.write_text(damaged)
        said = tool("compare", finished, "--report")
        assert said.code == 2
        assert said.err.startswith(f"error: {path}: not a result of ours (")
    path.write_text(content)


def test_options_that_do_not_go_together(tool: Tool, study: Path) -> None:
    assert tool("compare", study, "--job", "2").code == 2
    assert tool("compare", study, "--jobs", "2", "--most", "1").code == 2
    for alone, idle in [("--list", "--csv=runs.csv"), ("--prepare", "--markdown"), ("--report", "--part=1/2")]:
        said = tool("compare", study, alone, idle)
        assert said.code == 2
        assert f"{alone} does not go with {idle.partition('=')[0]}, which would do nothing" in said.err
    said = tool("compare", study, "--list", "--where", "nothing")
    assert (said.code, said.err) == (2, "error: --where wants KEY=VALUE, got 'nothing'\n")


def test_data_of_one_task_at_a_time_is_elsewhere(tool: Tool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    study, here = REPOSITORY / "studies/tiny_six.py", ["--where", f"task.root={tmp_path}", "clips.cache=cache"]
    said = tool("compare", study, "--list", *here)
    assert said.code == 2
    tasks = "moments, emotion, avqa, inference, sentiment, humor"
    assert f"task.root: one place for the data of {tasks}; name one of them with --only" in said.err
    commands: list[list[str]] = []
    monkeypatch.setattr(
        subprocess, "run", lambda command: commands.append(command) or subprocess.CompletedProcess(command, 0)
    )
    assert tool("compare", study, "--prepare", "--only", "inference", *here).code == 0
    generate, build = (command[3:] for command in commands)
    assert generate[:4] == ["generate", "inference", "--out", str(tmp_path)]
    assert build[:2] == ["cache", "build"]
    assert {f"task.root={tmp_path}", "clips.cache=cache"} < set(build)


def test_results_of_another_configuration_are_refused(tool: Tool, finished: Path, tmp_path: Path) -> None:
    other = tmp_path / "small.py"
    other.write_text(finished.read_text().replace('"model.adapted": 1', '"model.adapted": 2'))
    (tmp_path / "results").symlink_to(finished.parent / "results")
    said = tool("compare", other, "--report")
    assert said.code == 2
    assert "none-0.001-seed0.json was made with another configuration (digest " in said.err


def test_results_of_other_data_are_refused(tool: Tool, finished: Path) -> None:
    path = next((finished.parent / "results/small/films").glob("deaf-*-seed1.json"))
    content = path.read_text()
    path.write_text(json.dumps(json.loads(content) | {"data": "0123"}))
    said = tool("compare", finished, "--report")
    path.write_text(content)
    assert said.code == 2
    assert "were made with different samples" in said.err


def test_a_method_off_the_budget_is_refused_before_it_trains(tool: Tool, study: Path, tmp_path: Path) -> None:
    other = tmp_path / "small.py"
    other.write_text(study.read_text().replace("budget=budget", "budget=1_500"))
    said = tool("compare", other, "--only", "bottleneck", "--work-dir", tmp_path / "runs")
    assert said.code == 2
    assert "of the budget of 1,000; at most 5% are allowed" in said.err
    assert not list((tmp_path / "runs").rglob("best"))


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("seeds = (0, 1)", "seds = (0, 1)", "the study: nothing reads 'seds'"),
        ("seeds = (0, 1)", "seeds = 2", "the study.seeds: Sequence[int] is wanted, got 2"),
        ("seeds = (0, 1)", "seeds = (0, 1.5)", "the study.seeds: Sequence[int] is wanted, got (0, 1.5)"),
        ("seeds = (0, 1)", "seeds = ()", "seeds: one at least is wanted"),
        ("seeds = (0, 1)", "seeds = (0, 1)\nwhere = {}", "where: not for a study"),
        ('label="readout only"', 'lable="readout only"', "methods.none: nothing reads 'lable'"),
        ('method=dict(name="none")', 'method="none"', "methods.none.method: Mapping[str, Any] is wanted, got 'none'"),
        ('name="none"', 'name="nonee"', "no method is named 'nonee'"),
        ('name="none"', 'nam="none"', "methods.none.method.name: "),
        ('name="none"', 'name="none", widht=8', "methods.none.method.widht: "),
        ('like="bottleneck"', 'like="full fine-tuning"', "methods.deaf.like: 'full fine-tuning' is no method"),
        ('tasks=("films",)', 'tasks=("film",)', "search: values and some of the tasks films are wanted"),
        ("values=(1e-3, 1e-2)", "values=1e-3", "search.values: Sequence[float] is wanted, got 0.001"),
        ("values=(1e-3, 1e-2)", "values=('x',)", "search.values: Sequence[float] is wanted, got ('x',)"),
        ("seconds=2", "seconds=2, conf=3", "tasks.films: nothing reads 'conf'"),
        ("seconds=2", "seconds='2'", "tasks.films.seconds: float is wanted, got '2'"),
    ],
)
def test_mistakes_in_a_study_are_named(
    tool: Tool, study: Path, tmp_path: Path, right: str, wrong: str, message: str
) -> None:
    other = tmp_path / "small.py"
    assert right in study.read_text()
    other.write_text(study.read_text().replace(right, wrong))
    said = tool("compare", other, "--list")
    assert said.code == 2
    assert said.err.startswith(f"error: {other}: {message}")


def test_a_method_for_which_nothing_is_searched_is_named(study: Path, tmp_path: Path) -> None:
    other, text = tmp_path / "small.py", study.read_text()
    task = '"more": dict(config="avqa/tiny_lstta", seconds=1)'
    more = text.replace('tasks = {"films": dict(', f'tasks = {{{task}, "films": dict(')
    other.write_text(more.replace('method=dict(name="none")', 'method=dict(name="none"), tasks=("more",)'))
    with pytest.raises(ValueError, match=r"methods.none on more takes what is found for none on films, where nothing"):
        load_study(other)
