"""Which runs a study's search asks for, with results that are written and not trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lstta_tasks.study.definition import Place, Run, load_study
from lstta_tasks.study.make import results_of
from lstta_tasks.study.results import StudyResults
from lstta_tasks.study.run_config import configured

STUDY = """
seeds = (0, 1)
tasks = {"first": dict(config="avqa/tiny_lstta", seconds=3), "second": dict(config="emotion/tiny_lstta", seconds=5)}
methods = {"none": dict(method=dict(name="none")), "layers": dict(method=dict(name="layers"), cost=7)}
search = dict(
    key="optim_wrapper.optimizer.lr", values=(1e-3, 1e-4, 3e-4), beyond=(3e-5, 3e-3), tasks=("first", "second"), seed=0
)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "searching.py"
    file.write_text(STUDY)
    return file


def write(results: StudyResults, run: Run, val: float, seconds: float = 1.0) -> None:
    val = float(val)
    score: dict[str, Any] = {"primary": "overall", "value": val}
    tested = {"count": 7, "lower_is_better": False, "baseline": None, "baseline_name": None, "scores": {"overall": val}}
    content = {
        **{"study": results.study.name, "task": run.task, "method": run.method, "seed": run.seed},
        "searched": {"optim_wrapper.optimizer.lr": run.value},
        "digest": results.digest(run),
        "parameters": {"adapter": 0, "head": 7},
        **{"options": {}, "encoders": {}, "data": "d", "resumed": False, "test": {**score, **tested}},
        "val": {**score, "merit": val, "epoch": 1},
        "seconds": {"train": seconds},
    }
    file = results.path(run)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))
    results.refresh()


@pytest.mark.parametrize(
    ("vals", "further", "its_val", "found"),
    [
        ({1e-4: 0.1, 3e-4: 0.2, 1e-3: 0.1}, None, None, 3e-4),
        ({1e-4: 0.1, 3e-4: 0.2, 1e-3: 0.3}, 3e-3, 0.4, 3e-3),
        ({1e-4: 0.1, 3e-4: 0.2, 1e-3: 0.3}, 3e-3, 0.2, 1e-3),
        ({1e-4: 0.3, 3e-4: 0.2, 1e-3: 0.1}, 3e-5, 0.4, 3e-5),
    ],
)
def test_a_value_that_wins_at_an_end_gets_one_step_outwards(
    path: Path, vals: dict[float, float], further: float | None, its_val: float | None, found: float
) -> None:
    results, place = results_of(load_study(path)), Place("first", "none")
    for value, val in vals.items():
        assert place not in results.values
        write(results, Run("first", "none", 0, value), val)
    if further is not None and its_val is not None:
        asked = Run("first", "none", 0, further)
        assert place not in results.values
        assert [run for run in results.missing() if run not in results.study.searched()] == [asked]
        write(results, asked, its_val)
    assert results.values[place] == found
    assert Run("first", "none", 1, found) in results.missing()
    assert not [run for run in results.missing() if run.value in (3e-5, 3e-3) and run.seed == 0]


def test_the_tables_are_made_seed_by_seed_and_their_cost_is_said(path: Path) -> None:
    results = results_of(load_study(path))
    assert [results.seconds(run) for run in results.waiting()] == [3, 21, 5, 35]  # seed 0 comes of the search
    for run in results.study.searched():
        write(results, run, 1.0 if run.value == 3e-4 else 0.0, seconds=20.0 if run.task == "first" else 100.0)
    assert results.missing() == [Run(t, m, 1, 3e-4) for t in ("first", "second") for m in ("none", "layers")]
    assert not results.waiting()


def test_others_results_tell_what_a_slower_method_costs(path: Path) -> None:
    results = results_of(load_study(path))
    write(results, Run("first", "none", 0, 1e-3), 0.5, seconds=10.0)
    assert results.seconds(Run("first", "layers", 0, 1e-3)) == 70
    assert results.seconds(Run("second", "layers", 0, 1e-3)) == 35


def test_a_method_may_be_searched_on_some_of_the_tasks(path: Path) -> None:
    path.write_text(STUDY.replace("cost=7", 'searched=("second",)'))
    study = load_study(path)
    searched = {(run.task, run.method) for run in study.searched()}
    assert searched == {("first", "none"), ("second", "none"), ("second", "layers")}
    assert study.place_of("first", "layers") == Place("second", "layers")
    path.write_text(STUDY.replace("cost=7", 'searched=("third",)'))
    with pytest.raises(ValueError, match=r"methods.layers.searched: some of search.tasks are wanted"):
        load_study(path)


OTHER = """
seeds = (0,)
tasks = {"first": dict(config="avqa/tiny_lstta", seconds=3), "third": dict(config="humor/tiny_lstta", seconds=5)}
methods = {
    "none": dict(method=dict(name="none")),
    "deaf": dict(method=dict(name="none"), settings={"model.modalities": ["visual", "language"]}, like="none"),
}
found = dict(key="optim_wrapper.optimizer.lr", study="searching", tasks={"third": "second"})
"""


def test_a_study_takes_what_another_one_finds(path: Path) -> None:
    side = path.with_name("side.py")
    side.write_text(OTHER)
    results, found = results_of(load_study(side)), results_of(load_study(path))
    assert (results.missing(), len(results.waiting())) == ([], 4)
    for value in (1e-4, 3e-4, 1e-3):
        write(found, Run("second", "none", 0, value), value == 3e-4)
    results.refresh()
    wanted = [Run("third", "none", 0, 3e-4), Run("third", "deaf", 0, 3e-4)]
    assert (results.missing(), len(results.waiting())) == (wanted, 2)
    assert configured(results.study, wanted[0]).optim_wrapper.optimizer.lr == 3e-4
    write(results, wanted[0], 0.5)
    assert results.missing() == wanted[1:]
    assert results.unused() == []
    write(results, Run("third", "deaf", 0, 1e-4), 0.5)
    assert results.unused() == ["third/deaf-0.0001-seed0"]
    write(found, Run("first", "none", 0, 3e-4), 0.5)
    assert results_of(load_study(side), so_far=True).open() == {Place("first", "none"): 2}


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ('study="searching"', 'study="nothing"', "nothing"),
        ('"third": "second"', '"third": "fourth"', r"found: .*searching.py has no fourth"),
        ('"none": dict', '"full": dict(method=dict(name="full")), "none": dict', r"found: .*searching.py has no full"),
        ("optimizer.lr", "optimizer.weight_decay", r"found.key: .*searching.py does not search optim_wrapper"),
        ("found = ", "search = dict(key='seed', values=(1,), tasks=('first',), seed=0)\nfound = ", "leave one out"),
        ("key=", "kee=", "found: nothing reads 'kee'"),
    ],
)
def test_what_cannot_be_found_is_named(path: Path, right: str, wrong: str, message: str) -> None:
    side = path.with_name("side.py")
    assert right in OTHER
    side.write_text(OTHER.replace(right, wrong))
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        results_of(load_study(side))


def test_a_value_that_nobody_will_find_is_not_waited_for(path: Path) -> None:
    path.write_text(STUDY.replace("cost=7", 'tasks=("first",)'))
    side = path.with_name("side.py")
    side.write_text(OTHER.replace('"none": dict', '"layers": dict(method=dict(name="layers")), "none": dict'))
    with pytest.raises(ValueError, match=r"methods.layers on third takes what .* finds for layers on second, where it"):
        results_of(load_study(side))
    path.write_text(STUDY.replace("cost=7", 'tasks=("first",), searched=("first",)'))
    assert len(results_of(load_study(side)).waiting()) == 6


@pytest.mark.parametrize("beyond", ["(3e-5,)", "(3e-4, 3e-3)", "(3e-5, 1e-3)", "(3e-5, 3e-3, 1e-2)"])
def test_what_is_beyond_lies_beyond(path: Path, beyond: str) -> None:
    path.write_text(STUDY.replace("(3e-5, 3e-3)", beyond))
    with pytest.raises(ValueError, match=r"search.beyond: a value below all of .* and one above are wanted"):
        load_study(path)


def test_a_method_may_have_a_prefix_cache_of_its_own_or_none(path: Path) -> None:
    text = STUDY.replace('dict(name="layers"),', 'dict(name="layers"), prefix="_half",')
    text = text.replace("seeds = (0, 1)", 'seeds = (0, 1)\nsettings = {"clips.prefix": "states"}')
    path.write_text(text)
    study = load_study(path)
    assert configured(study, Run("first", "none", 0, 1e-3)).clips.prefix == "states"
    assert configured(study, Run("first", "layers", 0, 1e-3)).clips.prefix == "states_half"
    path.write_text(text.replace('"_half"', "False").replace("avqa/tiny_lstta", "moments/pretrained_lstta"))
    assert "prefix" not in configured(load_study(path), Run("first", "layers", 0, 1e-3)).clips
