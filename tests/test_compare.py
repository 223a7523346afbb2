"""A small study from its file to its table, with lstta compare."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest
from small_study import SEARCH, TABLE, compare, files
from small_world import World

from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate
from lstta_tasks.file_lock import lock_beside
from lstta_tasks.shipped import shipped
from lstta_tasks.study.definition import Place, load_study
from lstta_tasks.study.make import part_of, results_of, run_folder

Tool = Callable[..., Any]
REPOSITORY = Path(__file__).parents[1]


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
        f"up to {TABLE - 3} more once the search has found their setting, about 0 minutes",  # three come of the search
    ]


def test_the_list_says_what_slower_methods_cost(tool: Tool, study: Path, tmp_path: Path) -> None:
    other = tmp_path / "small.py"
    other.write_text(study.read_text().replace('dict(name="full"),', 'dict(name="full"), cost=90,'))
    said = tool("compare", other, "--list").out.splitlines()
    assert said[1:3] == ["films/bottleneck-0.001-seed0: about 2 s", "films/full-0.001-seed0: about 180 s"]
    assert said[-2] == "6 runs, about 6 minutes one after the other"


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
    made, found = files(finished), results_of(load_study(finished)).values
    for (task, method), value in found.items():
        merits = {lr: made[f"{task}/{method}-{lr:g}-seed0"]["val"]["merit"] for lr in (1e-3, 1e-2)}
        assert merits[value] == max(merits.values())
    assert f"films/deaf-{found[Place('films', 'bottleneck')]:g}-seed1" in made


def test_a_result_says_what_was_trained_and_what_came_out(finished: Path, world: World) -> None:
    made, lr = files(finished), results_of(load_study(finished)).values[Place("films", "bottleneck")]
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


def test_the_table_has_all_of_it_in_a_narrow_terminal(
    tool: Tool, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, full, _ = (
        line.split("|")[1:-1] for line in tool("compare", finished, "--report", "--markdown").out.splitlines()
    )
    monkeypatch.setenv("COLUMNS", "30")
    said = tool("compare", finished, "--report").out
    assert "…" not in said
    assert any(all(cell.strip() in line for cell in full) for line in said.splitlines())


def test_whoever_made_a_part_is_shown_the_whole_table(tool: Tool, finished: Path, tmp_path: Path) -> None:
    whole = tool("compare", finished, "--report").out
    assert tool("compare", finished, "--part", "1/3", "--work-dir", tmp_path).out == whole


def test_it_says_which_folder_it_reads(tool: Tool, study: Path, tmp_path: Path) -> None:
    alone = shutil.copy(study, tmp_path)
    said = tool("compare", alone, "--report").out
    assert said == f"no run of the tables is finished in {tmp_path / 'results' / study.stem}\n"


def test_it_says_what_shows_an_unfinished_search(tool: Tool, finished: Path, tmp_path: Path) -> None:
    alone = shutil.copy(finished, tmp_path)
    folder = shutil.copytree(finished.parent / "results" / finished.stem, tmp_path / "results" / finished.stem)
    kept = sorted(path for path in folder.rglob("*.json"))[0]
    for path in folder.rglob("*.json"):
        if path != kept:
            path.unlink()
    said = tool("compare", alone, "--report").out
    assert said.startswith(f"no run of the tables is finished in {folder}; of its search 1 are, which --so-far shows")
    assert "no run of the tables" not in tool("compare", alone, "--report", "--so-far").out


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


def test_a_prefix_cache_that_a_run_without_sound_began_serves_all(tool: Tool, finished: Path, tmp_path: Path) -> None:
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
    only = ["--only", "none", "--work-dir", tmp_path / "runs", "--json", tmp_path / "all.json"]
    done = tool("compare", other, *only)
    assert done.code == 0
    assert "films/none-1e+30-seed0: diverged: " in done.err
    assert "films/none-1e+30-seed0 diverged, and is in no table: " in done.out
    (without,) = json.loads((tmp_path / "all.json").read_text())["diverged"]
    assert without == {"task": "films", "method": "none", "seed": 0, "searched": 1e30, "reason": without["reason"]}
    assert "NaN or infinite" in without["reason"] or "which no metric" in without["reason"]
    assert {name for name in files(other) if name.endswith("seed1")} == {"films/none-0.001-seed1"}
    assert "val" not in files(other)["films/none-1e+30-seed0"]


def test_zero_may_be_the_value_that_is_found(tool: Tool, study: Path, tmp_path: Path) -> None:
    other = tmp_path / "small.py"
    search = 'search = dict(key="optim_wrapper.optimizer.weight_decay", values=(0.0,), tasks=("films",), seed=0)\n'
    other.write_text(study.read_text().partition("search = ")[0] + search)
    said = tool("compare", other, "--only", "none", "--work-dir", tmp_path / "runs")
    assert said.code == 0
    assert "films/none-0-seed1: val " in said.err


def test_parts_share_out_the_runs(study: Path) -> None:
    runs = load_study(study).searched()
    parts = [[run for run in runs if part_of(index, 3)(run)] for index in (1, 2, 3)]
    assert sorted(run.name for part in parts for run in part) == sorted(run.name for run in runs)


def test_an_adapter_that_was_dead_all_along_is_in_the_table(tool: Tool, finished: Path, tmp_path: Path) -> None:
    """It added nothing at all; of a method without units, which has nothing to add, the jumps are told."""
    shutil.copytree(finished.parent, tmp_path / "copy")
    study = tmp_path / "copy" / finished.name
    for path in sorted((study.parent / "results/small/films").glob("*.json")):
        result = json.loads(path.read_text())
        dead = {} if path.name.startswith("none") else {"units.audio": 1.0}
        result["watched"] = {"dead": dead, "added": {"audio": 0.0}, "jumps": int(not dead)}
        path.write_text(json.dumps(result))
    lines = tool("compare", study, "--report", "--markdown").out.splitlines()
    ends = {cells[1].strip(): [cell.strip() for cell in cells[-4:-1]] for cells in (one.split("|") for one in lines)}
    assert ends["bottleneck"] == ["1.00", "0.000", "0"]
    assert ends["readout only"] == ["–", "–", "2"]


def test_a_search_that_is_not_complete_is_shown_if_asked(finished: Path, tool: Tool, tmp_path: Path) -> None:
    shutil.copytree(finished.parent, tmp_path / "copy")
    study = tmp_path / "copy" / finished.name
    results = study.parent / "results/small/films"
    (results / "bottleneck-0.01-seed0.json").unlink()
    assert "bottleneck" not in tool("compare", study, "--report", "--only", "bottleneck").out.partition("no run of")[0]
    said = tool("compare", study, "--report", "--so-far", "--only", "bottleneck", "--json", tmp_path / "so_far.json")
    assert said.code == 0
    assert "films, bottleneck: 1 of the search's values not tried yet" in said.out
    runs = json.loads((tmp_path / "so_far.json").read_text())["runs"]
    assert {run["searched"] for run in runs} == {0.001}
    refused = tool("compare", study, "--list", "--so-far")
    assert refused.code == 2
    assert "small.py wait until its own search is complete" in refused.err


def test_a_side_table_can_take_what_is_found_so_far(finished: Path, tool: Tool, tmp_path: Path) -> None:
    shutil.copytree(finished.parent, tmp_path / "copy")
    side = tmp_path / "copy/side.py"
    text = finished.read_text().partition("search = ")[0]
    side.write_text(text + 'found = dict(key="optim_wrapper.optimizer.lr", study="small")\n')
    (side.parent / "results/small/films/none-0.01-seed0.json").unlink()
    asked = ("compare", side, "--only", "none", "--list")
    assert "0 runs, about" in tool(*asked).out
    assert "films/none-0.001-seed0: about" in tool(*asked, "--so-far").out
    compare(side, "--only", "none", "--work-dir", str(tmp_path / "runs"), "--so-far", "--jobs", "2")
    made = sorted(path.name for path in (side.parent / "results/side/films").iterdir())
    assert made == ["none-0.001-seed0.json", "none-0.001-seed1.json"]


def test_shipped_studies_are_whole() -> None:
    for name in shipped("study"):
        results_of(load_study(REPOSITORY / f"studies/{name}.py"))


@pytest.mark.parametrize("name", sorted(shipped("study")))
def test_the_data_of_a_shipped_study_is_made_by_verbs_of_ours(
    name: str, tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(
        subprocess, "run", lambda command: commands.append(command) or subprocess.CompletedProcess(command, 0)
    )
    said = tool("compare", name, "--prepare")
    assert said.code == 0, said.err
    made = [command[command.index("lstta_tasks") + 1 :] for command in commands]
    roots = {command[command.index("--out") + 1] for command in made if command[0] == "generate"}
    assert roots
    assert all(root.startswith("data/built-in/") for root in roots)
    assert {command[0] for command in made} <= {"generate", "cache"}
