"""The result files of a study: one run each, written whole, refused where they are another configuration's."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lstta_core.checked import RecordError, read_json
from lstta_tasks.study.definition import Place, Run, Study
from lstta_tasks.study.result_record import check_result

Result = Mapping[str, Any]


class StudyResults:
    """What a study has so far.

    Args:
        study: whose.
        digest: of a run's configuration, as :func:`~lstta_tasks.study.make.digest` gives it.

    Raises:
        ValueError: a file was made with another configuration than the study's, or two of a task with different data
            or encoders.
    """

    def __init__(self, study: Study, digest: Callable[[Run], str]) -> None:
        self.study = study
        self.digest = digest
        self._read: dict[Run, Result] = {}
        self._values: dict[Place, float | None] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read what has come since."""
        for run in self.study.searched():
            self._load(run)
        places = {self.study.place_of(task, method) for task in self.study.tasks for method in self.study.methods}
        self._values = {place: self._best(place) for place in places}
        self._values = {
            place: value for place, value in self._values.items() if self.study.search is None or value is not None
        }
        for run in self.study.compared(self._values):
            self._load(run)
        self._check_same()

    @property
    def values(self) -> Mapping[Place, float | None]:
        """The value of the searched setting, by its place: the best on val, of equal ones the first."""
        return self._values

    def finished(self) -> dict[Run, Result]:
        """The runs of the tables that have scores."""
        made = {run: self._read[run] for run in self.study.compared(self._values) if run in self._read}
        return {run: result for run, result in made.items() if "diverged" not in result}

    def diverged(self) -> dict[Run, str]:
        """The runs without scores, of the search or the tables, and why."""
        return {run: result["diverged"] for run, result in self._read.items() if "diverged" in result}

    def missing(self) -> list[Run]:
        """The runs that can be made now: those of the search first. More may follow once it is complete."""
        wanted = [*self.study.searched(), *self.study.compared(self._values)]
        return [run for run in dict.fromkeys(wanted) if run not in self._read]

    def waiting(self) -> int:
        """How many further runs the search holds back."""
        every: dict[Place, float | None] = {
            self.study.place_of(task, method): None for task in self.study.tasks for method in self.study.methods
        }
        return sum(1 for _ in self.study.compared(every)) - sum(1 for _ in self.study.compared(self._values))

    def seconds(self, run: Run) -> float:
        """About what a run costs: as the same method's on the task did, else as others did, else as the study says."""
        whole = {other: result for other, result in self._read.items() if not result["resumed"]}
        same = [r for other, r in whole.items() if (other.task, other.method) == (run.task, run.method)]
        alike = same or [r for other, r in whole.items() if other.task == run.task]
        taken = [sum(result["seconds"].values()) for result in alike]
        return sum(taken) / len(taken) if taken else self.study.tasks[run.task].seconds

    def path(self, run: Run) -> Path:
        return self.study.results / f"{run.name}.json"

    def _best(self, place: Place) -> float | None:
        runs = [run for run in self.study.searched() if Place(run.task, run.method) == place]
        if not runs or any(run not in self._read for run in runs):
            return None
        return max(runs, key=self._merit).value

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
