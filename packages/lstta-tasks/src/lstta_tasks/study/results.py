"""The result files of a study: one run each, written whole, refused where they are another configuration's."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from lstta_core.checked import RecordError, read_json
from lstta_tasks.study.definition import Found, Place, Run, Study, load_study
from lstta_tasks.study.result_record import check_result
from lstta_tasks.study.run_config import digest

Result = Mapping[str, Any]


class StudyResults:
    """What a study has so far.

    Args:
        study: whose.
        digest: of a run's configuration, as :func:`~lstta_tasks.study.make.digest` gives it.
        so_far: whether a search that is not complete counts with what it has; by default its place waits.

    Raises:
        ValueError: a file was made with another configuration than the study's, or two of a task with different data
            or encoders.
    """

    def __init__(self, study: Study, digest: Callable[[Run], str], *, so_far: bool = False) -> None:
        self.study = study
        self.so_far = so_far
        self.digest = digest
        self._read: dict[Run, Result] = {}
        self._values: dict[Place, float | None] = {}
        self._further: list[Run] = []
        self._others = None if study.found is None else _results_of(study, study.found, so_far)
        self.refresh()

    def refresh(self) -> None:
        """Read what has come since."""
        for run in self.study.searched():
            self._load(run)
        places = [self.study.place_of(task, method) for task in self.study.tasks for method in self.study.methods]
        best = {place: self._best(place, self.study.searched()) for place in places}
        further = {p: self.study.one_further(p, value) for p, value in best.items() if value is not None}
        self._further = [run for run in further.values() if run is not None]
        for run in self._further:
            self._load(run)
        self._values = {place: self._best(place, [*self.study.searched(), *self._further]) for place in places}
        if self._others is not None:
            self._values = self._found(self._others)
        elif self.study.search is not None:
            self._values = {place: value for place, value in self._values.items() if value is not None}
        for run in self.study.compared(self._values):
            self._load(run)
        self._check_same()

    @property
    def values(self) -> Mapping[Place, float | None]:
        """The value of the searched setting, by its place: the best on val, of equal ones the first."""
        return self._values

    def made(self) -> list[Run]:
        """All runs that have a result, of the search or the tables."""
        return list(self._read)

    def finished(self) -> dict[Run, Result]:
        """The runs of the tables that have scores."""
        made = {run: self._read[run] for run in self.study.compared(self._values) if run in self._read}
        return {run: result for run, result in made.items() if "diverged" not in result}

    def diverged(self) -> dict[Run, str]:
        """The runs without scores, of the search or the tables, and why."""
        return {run: result["diverged"] for run, result in self._read.items() if "diverged" in result}

    def missing(self) -> list[Run]:
        """The runs that can be made now: those of the search first. More may follow once it is complete."""
        wanted = [*self.study.searched(), *self._further, *self.study.compared(self._values)]
        return [run for run in dict.fromkeys(wanted) if run not in self._read]

    def waiting(self) -> list[Run]:
        """The runs of the tables that wait for the search, without those that the search itself makes."""
        search = {(run.task, run.method, run.seed) for run in self.study.searched()}
        open_places: dict[Place, float | None] = {
            place: None
            for task in self.study.tasks
            for method in self.study.methods
            if (place := self.study.place_of(task, method)) not in self._values
        }
        held = self.study.compared(open_places)
        return [run for run in held if (run.task, run.method, run.seed) not in search]

    def open(self) -> dict[Place, int]:
        """How many values are still to be tried, of the places whose search has begun and is not complete."""
        searched = [*self.study.searched(), *self._further]
        left: Mapping[Place, int] = Counter(Place(run.task, run.method) for run in searched if run not in self._read)
        if self._others is not None:
            there = self._others.open()
            left = {place: there[other] for place, other in self._elsewhere(self._others).items() if other in there}
        return {place: count for place, count in left.items() if place in self._values}

    def unused(self) -> list[str]:
        """Result files that count for nothing: of a value that was not found, or of runs that the study has no more."""
        used = {self.path(run) for run in self._read}
        files = [path for path in sorted(self.study.results.rglob("*.json")) if path not in used]
        return [str(path.relative_to(self.study.results).with_suffix("")) for path in files]

    def seconds(self, run: Run) -> float:
        """About what a run costs: as the same method's on the task did, else as others did, else as the study says."""
        whole = {other: result for other, result in self._read.items() if not result["resumed"]}
        same = {o: r for o, r in whole.items() if (o.task, o.method) == (run.task, run.method)}
        alike = same or {o: r for o, r in whole.items() if o.task == run.task}
        taken = [sum(r["seconds"].values()) / self.study.methods[o.method].cost for o, r in alike.items()]
        of_one = sum(taken) / len(taken) if taken else self.study.tasks[run.task].seconds
        return of_one * self.study.methods[run.method].cost

    def path(self, run: Run) -> Path:
        return self.study.results / f"{run.name}.json"

    def _best(self, place: Place, searched: Sequence[Run]) -> float | None:
        runs = [run for run in searched if Place(run.task, run.method) == place]
        made = [run for run in runs if run in self._read]
        if not made or (made != runs and not self.so_far):
            return None
        return max(made, key=self._merit).value

    def _found(self, others: StudyResults) -> dict[Place, float | None]:
        """What the other study has found so far, by this study's places."""
        others.refresh()
        there = self._elsewhere(others)
        return {place: others.values[other] for place, other in there.items() if other in others.values}

    def _elsewhere(self, others: StudyResults) -> dict[Place, Place]:
        """Where the other study finds the values, by this study's places."""
        names = {} if self.study.found is None else self.study.found.tasks
        places = [self.study.place_of(task, method) for task in self.study.tasks for method in self.study.methods]
        return {p: others.study.place_of(names.get(p.task, p.task), p.method) for p in places}

    def _merit(self, run: Run) -> float:
        result = self._read[run]
        return -math.inf if "diverged" in result else result["val"]["merit"]

    def _load(self, run: Run) -> None:
        path = self.path(run)
        if run in self._read or not path.is_file():
            return
        try:
            result = read_json(path)
            check_result(result, path)
        except RecordError as error:
            why = str(error).removeprefix(f"{path}: ")
            raise ValueError(f"{path}: not a result of ours ({why}); remove it, and the run is made again") from error
        stored = result["digest"]
        if stored != (wanted := self.digest(run)):
            raise ValueError(
                f"{path} was made with another configuration (digest {stored} there, {wanted} here): results of two "
                "are not mixed. Change the study and its configs back, give the study another name, or remove the file"
            )
        self._read[run] = result

    def _check_same(self) -> None:
        first: dict[tuple[str, str], tuple[Run, Any]] = {}
        for run, result in self._read.items():
            for what, value in {"samples": result["data"], **result["encoders"]}.items():
                other, earlier = first.setdefault((run.task, what), (run, value))
                if earlier != value:
                    raise ValueError(
                        f"{self.path(other)} and {self.path(run)} were made with different {what} (digests {earlier} "
                        f"and {value}): they cannot stand in one table; remove those of the older ones"
                    )


def _results_of(study: Study, found: Found, so_far: bool) -> StudyResults:
    """The results of the study that finds the values.

    Raises:
        FileNotFoundError: there is no such study.
        ValueError: it lacks a method or a task that values are wanted for, or searches another setting.
    """
    beside = study.path.with_name(f"{found.study}.py")
    other = load_study(beside if beside.is_file() else found.study)
    wanted = {m.like or key for key, m in study.methods.items()} | {found.tasks.get(task, task) for task in study.tasks}
    if lacking := wanted - {*other.methods, *other.tasks}:
        raise ValueError(f"{study.path}: found: {other.path} has no {', '.join(sorted(lacking))}")
    if other.search is None or other.search.key != found.key:
        raise ValueError(f"{study.path}: found.key: {other.path} does not search {found.key}")
    searched = {Place(run.task, run.method) for run in other.searched()}
    for task in study.tasks:
        for key, method in study.methods.items():
            place = other.place_of(found.tasks.get(task, task), method.like or key)
            if task in (method.tasks or study.tasks) and place not in searched:
                raise ValueError(
                    f"{study.path}: methods.{key} on {task} takes what {other.path} finds for {place.method} on "
                    f"{place.task}, where it searches nothing: leave {task!r} out of methods.{key}.tasks, or add "
                    f"methods.{place.method}.searched there"
                )
    return StudyResults(other, partial(digest, other), so_far=so_far)
