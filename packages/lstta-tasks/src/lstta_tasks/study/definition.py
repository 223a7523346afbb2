"""What a study compares, read from one plain-Python file: tasks, methods, seeds, and the search of one setting.

A study file assigns these names and nothing else (``__doc__`` apart)::

    budget = 190_000                                  # trainable parameters, readout and head apart; may be left out
    seeds = (0, 1, 2)
    settings = {"model.adapted": 2}                   # config keys for all runs
    tasks = {"avqa": dict(config="avqa/tiny_lstta", seconds=60, settings={…}, prepare=[…])}
    methods = {"lstta": dict(method=dict(name="lstta", budget=budget))}
    search = dict(key="optim_wrapper.optimizer.lr", values=(1e-3, 2e-3), tasks=("avqa",), seed=0)

A config is a shipped one by its name, or a path relative to the file. A method may also have ``label``, ``settings``,
``tasks`` and ``seeds`` (some of the study's), ``prefix`` (False where it cannot read ``clips.prefix``, or the end of
the path of one of its own), ``like`` (the method whose found value it takes), ``searched`` (on some of the search's
tasks alone) and ``cost``. In place of ``search``, ``found=dict(key=…, study="main")`` takes what another study finds.
"""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import UnionType
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from lstta_tasks.shipped import FOLDERS, find_shipped

Part = TypeVar("Part")


@dataclass(frozen=True, kw_only=True)
class StudyTask:
    """A task of a study.

    Attributes:
        config: its path.
        seconds: about what a run costs, of one core.
        settings: config keys for the runs on it.
        prepare: arguments of tools that make its data, such as ``"generate avqa --out ROOT"``; ROOT stands for
            ``task.root``, CONFIG for the config, both with the study's settings and the task's.
    """

    config: Path
    seconds: float
    settings: Mapping[str, Any] = field(default_factory=dict)
    prepare: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One line of the table: a method with its settings.

    Attributes:
        method: the config's section.
        label: for tables; the method's key by default.
        settings: further config keys.
        tasks: those that it runs on; all by default.
        seeds: those that it runs with; all by default.
        prefix: whether it can read the cached states of the prefix; or, for a method whose prefix ends elsewhere, what
            is added to the path ``clips.prefix`` for a cache of its own.
        like: whose value of the searched setting it takes; its own by default.
        searched: the tasks on which it is searched, where those are not all of the search's.
        cost: about how many times as long as the task says its runs take.
    """

    method: Mapping[str, Any]
    label: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    tasks: Sequence[str] = ()
    seeds: Sequence[int] = ()
    prefix: bool | str = True
    like: str = ""
    searched: Sequence[str] = ()
    cost: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Search:
    """One setting that is searched for every method alike, with one seed; val decides.

    Attributes:
        key: of the config.
        values: to try.
        tasks: on which, each for itself; the study's other tasks take what the first of them finds.
        seed: with which.
        beyond: a value below all and one above, each tried where the lowest or the highest of ``values`` is the best.
    """

    key: str
    values: Sequence[float]
    tasks: Sequence[str]
    seed: int
    beyond: Sequence[float] = ()


@dataclass(frozen=True, kw_only=True)
class Found:
    """One setting whose values another study's search finds, for methods of the same keys.

    Attributes:
        key: of the config.
        study: the other study: a file beside this one, or a shipped one by its name.
        tasks: by tasks of this study that the other one does not have, those of the other one that stand for them.
    """

    key: str
    study: str
    tasks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """One training with its evaluation.

    Attributes:
        task: its key in the study.
        method: its key in the study.
        seed: of the run.
        value: of the searched setting; None where nothing is searched.
    """

    task: str
    method: str
    seed: int
    value: float | None

    @property
    def name(self) -> str:
        """A relative path without suffix."""
        value = "" if self.value is None else f"-{self.value:g}"
        return f"{self.task}/{self.method}{value}-seed{self.seed}"


class Place(NamedTuple):
    """A task and a method of a study."""

    task: str
    method: str


@dataclass(frozen=True, kw_only=True)
class Study:
    """A study file's content.

    Attributes:
        path: of the file.
        tasks: by key.
        methods: by key, in the order of the table.
        seeds: of the runs.
        settings: config keys for all runs.
        budget: how many parameters each method may train, readout and head apart, within 5 %; None for no such rule.
        search: what is searched; None for nothing.
        found: what another study searches; None for nothing.
        where: config keys that say where things are on this machine, for all runs; no result depends on them.
    """

    path: Path
    tasks: Mapping[str, StudyTask]
    methods: Mapping[str, Compared]
    seeds: Sequence[int]
    settings: Mapping[str, Any] = field(default_factory=dict)
    budget: int | None = None
    search: Search | None = None
    found: Found | None = None
    where: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def results(self) -> Path:
        """The folder of the result files: beside the study; of one named as shipped, in ``studies/results`` here."""
        shipped = self.path.parent == FOLDERS["study"]
        return (Path("studies") if shipped else self.path.parent) / "results" / self.name

    @property
    def key(self) -> str | None:
        """The setting that is searched, here or in another study; None for none."""
        source = self.search or self.found
        return None if source is None else source.key

    def searched(self) -> list[Run]:
        """The runs that decide on the searched setting."""
        if self.search is None:
            return []
        return [
            Run(task, key, self.search.seed, value)
            for task in self.search.tasks
            for value in self.search.values
            for key, method in self.methods.items()
            if not method.like and task in (method.tasks or self.tasks) and task in self._searched_on(key)
        ]

    def one_further(self, place: Place, best: float) -> Run | None:
        """The run one step outwards where the best of the search's values is at an end of them."""
        if self.search is None or not self.search.beyond:
            return None
        ends = dict(zip((min(self.search.values), max(self.search.values)), self.search.beyond, strict=True))
        return Run(*place, self.search.seed, ends[best]) if best in ends else None

    def place_of(self, task: str, method: str) -> Place:
        """Where the value of the searched setting is found for a method on a task."""
        key = self.methods[method].like or method
        searched = self._searched_on(key)
        return Place(task if task in searched or not searched else searched[0], key)

    def _searched_on(self, method: str) -> Sequence[str]:
        every = () if self.search is None else self.search.tasks
        return self.methods[method].searched or every

    def compared(self, values: Mapping[Place, float | None]) -> Iterator[Run]:
        """The runs of the tables, seed by seed and task by task.

        Args:
            values: the value of the searched setting, by its place; runs without one yet are left out.
        """
        for seed in self.seeds:
            for task in self.tasks:
                for key, method in self.methods.items():
                    wanted = task in (method.tasks or self.tasks) and seed in (method.seeds or self.seeds)
                    if wanted and (place := self.place_of(task, key)) in values:
                        yield Run(task, key, seed, values[place])


def load_study(path: str | Path) -> Study:
    """Read a study: a file, or a shipped one by its name.

    Raises:
        FileNotFoundError: no such file, and no shipped study of this name.
        ValueError: it is no Python, or a name or key in it is missing, unknown or of a wrong type.
    """
    path = find_shipped("study", path)
    try:
        content = runpy.run_path(str(path))
    except Exception as error:  # a study is a program: it may raise anything
        raise ValueError(f"{path}: not a study: {type(error).__name__}: {error}") from error
    given = {key: value for key, value in content.items() if not key.startswith("_")}
    if own := [key for key in ("path", "where") if key in given]:
        raise ValueError(f"{path}: {own[0]}: not for a study; where things are is said from outside, with --where")
    for section in ("tasks", "methods"):
        if not isinstance(given.get(section), dict) or not given[section]:
            raise ValueError(f"{path}: {section}: a dict with at least one entry is wanted")
    tasks = {key: _part(StudyTask, path, f"tasks.{key}", value) for key, value in given["tasks"].items()}
    tasks = {
        key: _part(StudyTask, path, key, vars(t) | {"config": _config(path, t.config)}) for key, t in tasks.items()
    }
    methods = {key: _part(Compared, path, f"methods.{key}", value) for key, value in given["methods"].items()}
    search = None if given.get("search") is None else _part(Search, path, "search", given["search"])
    found = None if given.get("found") is None else _part(Found, path, "found", given["found"])
    parts = {"path": path, "tasks": tasks, "methods": methods, "search": search, "found": found}
    study = _part(Study, path, "the study", given | parts)
    _check(study)
    return study


def _config(study: Path, config: str | Path) -> Path:
    """The config of a task: a file, from where the study lies, or a shipped one by its name."""
    beside = study.parent / config
    return beside if beside.is_file() else find_shipped("config", config)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is what a field's annotation says."""
    kind, inner = get_origin(hint) or hint, get_args(hint)
    if kind in (Union, UnionType):
        return any(_fits(value, one) for one in inner)
    if kind is Sequence:
        return isinstance(value, list | tuple) and all(_fits(one, inner[0]) for one in value)
    if kind in (int, float):
        return isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
    return isinstance(value, str | Path if kind is Path else kind)


def _part(kind: type[Part], path: Path, place: str, value: Any) -> Part:
    names = [one.name for one in fields(kind)]  # type: ignore[arg-type]
    if not isinstance(value, dict):
        raise ValueError(f"{path}: {place}: a dict is wanted, got {value!r}")
    if unknown := [key for key in value if key not in names]:
        raise ValueError(f"{path}: {place}: nothing reads {unknown[0]!r}; there are {', '.join(names)}")
    for key, hint in get_type_hints(kind).items():
        if key in value and not _fits(value[key], hint):
            wanted = hint.__name__ if type(hint) is type else re.sub(r"\b[a-z]+\.(abc\.)?", "", str(hint))
            raise ValueError(f"{path}: {place}.{key}: {wanted} is wanted, got {value[key]!r}")
    try:
        return kind(**value)
    except TypeError as error:
        raise ValueError(f"{path}: {place}: {error}") from error


def _check(study: Study) -> None:
    if not study.seeds:
        raise ValueError(f"{study.path}: seeds: one at least is wanted")
    for key, method in study.methods.items():
        if unknown := set(method.tasks) - set(study.tasks) or set(method.seeds) - set(study.seeds):
            raise ValueError(f"{study.path}: methods.{key}: the study has no {sorted(map(str, unknown))}")
        if method.searched and not set(method.searched) <= set(study.search.tasks if study.search else ()):
            raise ValueError(f"{study.path}: methods.{key}.searched: some of search.tasks are wanted")
        if method.like and (method.like not in study.methods or study.methods[method.like].like):
            raise ValueError(f"{study.path}: methods.{key}.like: {method.like!r} is no method that is searched itself")
    search = study.search
    if search is not None and study.found is not None:
        raise ValueError(f"{study.path}: search and found both say where values come from: leave one out")
    if search is not None and not (search.values and search.tasks and set(search.tasks) <= set(study.tasks)):
        raise ValueError(f"{study.path}: search: values and some of the tasks {', '.join(study.tasks)} are wanted")
    if search is not None and search.beyond:
        low, high = (*search.beyond, 0.0, 0.0)[:2]
        if len(search.beyond) != 2 or not low < min(search.values) < max(search.values) < high:
            raise ValueError(
                f"{study.path}: search.beyond: a value below all of {search.values} and one above are wanted, and at "
                f"least two values; got {search.beyond}"
            )
    searched = {Place(run.task, run.method) for run in study.searched()}
    for task in study.tasks if search is not None else ():
        for key, method in study.methods.items():
            place = study.place_of(task, key)
            if task in (method.tasks or study.tasks) and place not in searched:
                raise ValueError(
                    f"{study.path}: methods.{key} on {task} takes what is found for {place.method} on {place.task}, "
                    f"where nothing is searched: add {task!r} to search.tasks, or {place.task!r} to "
                    f"methods.{place.method}.tasks"
                )
