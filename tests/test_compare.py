"""A small study from its file to its table, with tools/compare.py."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest
from small_world import World

from lstta_tasks.data.file_lock import lock_beside
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate
from lstta_tasks.shipped import shipped
from lstta_tasks.study.definition import Place, load_study
from lstta_tasks.study.make import part_of, results_of, run_folder

Tool = Callable[..., Any]
REPOSITORY = Path(__file__).parents[1]
STUDY = """
budget = 1_000
seeds = {seeds!r}
settings = {{"train_cfg.max_epochs": 1, "model.adapted": 1, "clips.prefix": {prefix!r}}}
tasks = {{"films": dict(config={config!r}, seconds=2, prepare=["cache build CONFIG"])}}
methods = {{
    "none": dict(method=dict(name="none"), label="readout only"),
    "bottleneck": dict(method=dict(name="bottleneck", budget=budget)),
    "deaf": dict(
        method=dict(name="bottleneck", budget=budget),
        settings={{"model.modalities": ["visual", "language"]}},
        like="bottleneck",
    ),
    "full": dict(method=dict(name="full"), prefix=False, seeds=(0,)),
}}
search = dict(key="optim_wrapper.optimizer.lr", values=(1e-3, 1e-2), tasks=("films",), seed=0)
"""
SEARCH, TABLE = 6, 7


@pytest.fixture(scope="module")
def study(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    path = folder / "small.py"
    text = STUDY.format(seeds=(0, 1), config=str(world.config), prefix=str(folder / "prefix"))
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(study: Path) -> Path:
    """The study with all its runs, made by two processes at once; beside it, what these said of them."""
    done = compare(study, "--jobs", "2", "--work-dir", str(study.parent / "runs"))
    (study.parent / "said.txt").write_text(done.stderr)
    return study


def compare(study: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The tool in a process of its own, which is what processes that it starts need."""
    support = REPOSITORY / "packages" / "lstta-tasks" / "tests" / "support"
    paths = os.pathsep.join(filter(None, [str(support), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, str(REPOSITORY / "tools/compare.py"), str(study), *arguments]
    result = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result


def files(study: Path) -> dict[str, dict[str, Any]]:
    results = study.parent / "results" / "small"
    return {
        str(path.relative_to(results).with_suffix("")): json.loads(path.read_text()) for path in results.rglob("*.json")
    }


def test_prepares_what_the_study_names(study: Path, world: World) -> None:
    said = compare(study, "--prepare").stdout
    assert f"films: lstta cache build {world.config} --cfg-options train_cfg.max_epochs=1 model.adapted=1" in said
    assert "15 clips, 0 decoded now, 15 there already" in said


def test_lists_the_search_first_and_what_waits_for_it(tool: Tool, study: Path, tmp_path: Path) -> None:
    other = tmp_path / "small.py"
    other.write_text(study.read_text())
    said = tool("compare", other, "--list").out.splitlines()
    assert said[0] == "films/none-0.001-seed0: about 2 s"
    assert len(said) == SEARCH + 2
    assert said[-2:] == [
        "6 runs, about 0 minutes one after the other",
        f"{TABLE} more once the search has found their setting",
    ]


def test_only_some_methods_and_tasks(tool: Tool, study: Path, tmp_path: Path) -> None:
    other = tmp_path / "small.py"
    other.write_text(study.read_text())
    said = tool("compare", other, "--list", "--only", "none", "full", "films").out.splitlines()
    assert {line.split("-")[0] for line in said[:-2]} == {"films/none", "films/full"}
    assert tool("compare", other, "--list", "--only", "film").code == 2


def test_two_processes_make_every_run_once(finished: Path) -> None:
    made = files(finished)
    said = (finished.parent / "said.txt").read_text().splitlines()
    begun = [line.split()[1].rstrip(":") for line in said if line.startswith("── ")]
    assert sorted(begun) == sorted(made)
    chosen = {name: result for name, result in made.items() if name.endswith("seed1")}
    assert len(made) == SEARCH + len(chosen) + 1  # deaf is not searched
    assert len(chosen) == 3
    assert results_of(load_study(finished)).missing() == []


def test_the_value_that_is_best_on_val_is_taken(finished: Path) -> None:
    made, found = files(finished), results_of(load_study(finished)).found
    for (task, method), value in found.items():
        merits = {lr: made[f"{task}/{method}-{lr:g}-seed0"]["val"]["merit"] for lr in (1e-3, 1e-2)}
        assert merits[value] == max(merits.values())
    assert f"films/deaf-{found[Place('films', 'bottleneck')]:g}-seed1" in made


def test_a_result_says_what_was_trained_and_what_came_out(finished: Path, world: World) -> None:
    made, lr = files(finished), results_of(load_study(finished)).found[Place("films", "bottleneck")]
    result = made[f"films/bottleneck-{lr:g}-seed1"]
    best = next((finished.parent / "runs/small/films").glob(f"bottleneck-{lr:g}-seed1-*/data-*/best"))
    report, details = evaluate(load_config(world.config), best, "test")
    assert result["test"]["value"] == report.value("overall")
    assert result["test"]["scores"] == {score.name: score.value for score in report.scores}
    assert result["test"]["baseline"] == next(s["baseline"] for s in details["scores"] if s["name"] == "overall")
    record = json.loads((best / "adapter.json").read_text())
    assert result["val"]["value"] == record["selected"]["overall"]
    assert result["options"] == record["method"]
    assert sum(result["parameters"].values()) == record["parameters"]["trainable"]
    assert abs(result["parameters"]["adapter"] / 1000 - 1) <= 0.05
    assert made["films/none-0.001-seed0"]["parameters"] == {"adapter": 0, "head": result["parameters"]["head"]}
    assert result["encoders"] == {m: encoder["digest"] for m, encoder in record["encoders"].items()}
    assert {one["data"] for one in made.values()} == {result["data"]}


def test_the_table_and_the_files_say_the_same(tool: Tool, finished: Path, tmp_path: Path) -> None:
    outputs = [f"--{kind}={tmp_path / 'out' / kind}" for kind in ("csv", "json", "figure")]
    said = tool("compare", finished, "--report", "--markdown", *outputs)
    with (tmp_path / "out/csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == TABLE
    values = [float(row["test"]) for row in rows if row["method"] == "bottleneck"]
    line = next(line for line in said.out.splitlines() if line.startswith("| bottleneck"))
    assert line.split("|")[3].strip() == f"{mean(values):.3f} ± {stdev(values):.3f}"
    assert "(1)" in next(line for line in said.out.splitlines() if line.startswith("| full"))
    summary = json.loads((tmp_path / "out/json").read_text())
    assert summary["lines"][1]["tasks"]["films"]["mean"] == mean(values)
    assert summary["lines"][1]["tasks"]["films"]["deviation"] == stdev(values)
    part = tool("compare", finished, "--report", "--markdown", "--only", "none").out
    assert "readout only" in part
    assert "bottleneck" not in part
    assert (tmp_path / "out/figure").read_bytes().startswith(b"\x89PNG")


def test_nothing_is_made_twice(tool: Tool, finished: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.parent.rglob("*.json")}
    assert tool("compare", finished, "--work-dir", finished.parent / "elsewhere").code == 0
    assert {path: path.stat().st_mtime_ns for path in finished.parent.rglob("*.json")} == before


def test_a_lost_result_is_made_again_and_is_the_same(tool: Tool, finished: Path, tmp_path: Path) -> None:
    path = next(iter(sorted((finished.parent / "results/small/films").glob("none-*-seed1.json"))))
    before = json.loads(path.read_text())
    path.unlink()
    tool("compare", finished, "--most", "1", "--only", "none", "--work-dir", tmp_path)
    after = json.loads(path.read_text())
    for result in (before, after):
        del result["seconds"], result["processor_seconds"], result["threads"]
    assert after == before


def test_results_do_not_depend_on_where_things_are(tool: Tool, finished: Path, world: World) -> None:
    here = [f"task.root={world.root}", f"clips.prefix={finished.parent / 'other'}", "loader.workers=1"]
    assert tool("compare", finished, "--report", "--where", *here).code == 0
    said = tool("compare", finished, "--report", "--where", "model.stages=2")
    assert said.code == 2
    assert "model.stages: results would depend on it, so it belongs into the study" in said.err


def test_a_run_in_other_hands_is_left_to_them(tool: Tool, finished: Path, tmp_path: Path) -> None:
    path = next((finished.parent / "results/small/films").glob("deaf-*-seed1.json"))
    content = path.read_text()
    path.unlink()
    run = next(run for run in results_of(load_study(finished)).missing() if run.method == "deaf")
    with lock_beside(run_folder(tmp_path, load_study(finished), run)) as alone:
        assert alone
        assert tool("compare", finished, "--most", "1", "--work-dir", tmp_path).code == 0
        assert not path.exists()
    assert tool("compare", finished, "--most", "1", "--work-dir", tmp_path).code == 0
    assert json.loads(path.read_text())["test"] == json.loads(content)["test"]


def test_a_run_on_older_data_is_not_gone_on_with(
    tool: Tool, finished: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = next((finished.parent / "results/small/films").glob("deaf-*-seed1.json"))
    content = path.read_text()
    for data, resumed in (("older", False), ("newer", False), ("newer", True)):
        monkeypatch.setattr("lstta_tasks.study.run.data_digest", lambda task, data=data: data)
        path.unlink()
        tool("compare", finished, "--most", "1", "--work-dir", tmp_path)
        made = json.loads(path.read_text())
        assert (made["data"], made["resumed"]) == (data, resumed)
        path.write_text(content)


def test_a_feature_cache_that_a_run_without_sound_began_serves_all(tool: Tool, finished: Path, tmp_path: Path) -> None:
    here = ["--work-dir", tmp_path / "runs", "--where", f"clips.prefix={tmp_path / 'prefix'}"]
    for method in ("deaf", "bottleneck"):
        path = next((finished.parent / "results/small/films").glob(f"{method}-*-seed1.json"))
        before = json.loads(path.read_text())
        path.unlink()
        assert tool("compare", finished, "--most", "1", *here).code == 0
        assert json.loads(path.read_text())["test"] == before["test"]


def test_a_run_that_diverges_is_the_worst_of_its_search(tool: Tool, study: Path, tmp_path: Path) -> None:
    other = tmp_path / "small.py"
    other.write_text(study.read_text().replace("values=(1e-3, 1e-2)", "values=(1e30, 1e-3)"))
    only = ["--only", "none", "--work-dir", tmp_path / "runs"]
    done = tool("compare", other, *only)
    assert done.code == 0
    assert "films/none-1e+30-seed0: diverged: sample " in done.err
    assert "films/none-1e+30-seed0 diverged, and is in no table: sample " in done.out
    assert {name for name in files(other) if name.endswith("seed1")} == {"films/none-0.001-seed1"}
    assert "val" not in files(other)["films/none-1e+30-seed0"]


def test_zero_may_be_the_value_that_is_found(tool: Tool, study: Path, tmp_path: Path) -> None:
    other = tmp_path / "small.py"
    search = 'search = dict(key="optim_wrapper.optimizer.weight_decay", values=(0.0,), tasks=("films",), seed=0)\n'
    other.write_text(study.read_text().partition("search = ")[0] + search)
    said = tool("compare", other, "--only", "none", "--work-dir", tmp_path / "runs")
    assert said.code == 0
    assert "films/none-0-seed1: val " in said.err


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
    said = tool("compare", study, "--list", "--where", "nothing")
    assert (said.code, said.err) == (2, "error: --where wants KEY=VALUE, got 'nothing'\n")


def test_data_of_one_task_at_a_time_is_elsewhere(tool: Tool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    study, here = REPOSITORY / "studies/tiny.py", ["--where", f"task.root={tmp_path}", "clips.cache=cache"]
    said = tool("compare", study, "--list", *here)
    assert said.code == 2
    assert "task.root: one place for the data of emotion, inference, avqa; name one of them with --only" in said.err
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
    more = text.replace(
        'tasks = {"films": dict(', 'tasks = {"more": dict(config="avqa/tiny_lstta", seconds=1), "films": dict('
    )
    other.write_text(more.replace('method=dict(name="none")', 'method=dict(name="none"), tasks=("more",)'))
    with pytest.raises(ValueError, match=r"methods.none on more takes what is found for none on films, where nothing"):
        load_study(other)


def test_parts_share_out_the_runs(study: Path) -> None:
    runs = load_study(study).searched()
    parts = [[run for run in runs if part_of(index, 3)(run)] for index in (1, 2, 3)]
    assert sorted(run.name for part in parts for run in part) == sorted(run.name for run in runs)


def test_shipped_studies_are_whole() -> None:
    for name in shipped("study"):
        results_of(load_study(REPOSITORY / f"studies/{name}.py"))
