"""The results of a study in one line for each method: means and deviations over seeds."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from lstta_core.whole_files import write_json, write_whole
from lstta_tasks.study.definition import Run, Study
from lstta_tasks.study.results import Result


@dataclass(frozen=True)
class Cell:
    """A method on a task.

    Attributes:
        values: the primary score on the test split, by seed.
        searched: the value of the searched setting.
        trains: how many parameters, readout and head included.
    """

    values: Mapping[int, float]
    searched: float | None
    trains: int

    @property
    def mean(self) -> float:
        return mean(self.values.values())

    @property
    def deviation(self) -> float | None:
        """The sample's standard deviation over seeds; None for one seed."""
        return stdev(self.values.values()) if len(self.values) > 1 else None


@dataclass(frozen=True)
class Watched:
    """How a method's adapters fared in the runs that are counted, see :mod:`lstta_tasks.training.watch`.

    Attributes:
        dead: the largest share of dead units of a modality at a stage; None where the method has no such units.
        added: the largest mean length of what an adapter added to a modality's tokens, against theirs, at the end;
            None where it has no adapters that add to them, as LoRA.
        jumps: of the loss, in all of the runs together.
    """

    dead: float | None
    added: float | None
    jumps: int


@dataclass(frozen=True)
class Line:
    """A method.

    Attributes:
        key: in the study.
        label: for people.
        adapter: how many parameters it trains, readout and head apart: the largest of its tasks'.
        head: those of readout and head: likewise.
        cells: by task.
        watched: None where nothing was.
    """

    key: str
    label: str
    adapter: int
    head: int
    cells: Mapping[str, Cell]
    watched: Watched | None = None


@dataclass(frozen=True)
class Summary:
    """A study's results.

    Attributes:
        primary: by task, what its numbers are.
        lower: by task, whether less of it is better.
        baselines: by task, the same score of a trivial answer and which answer that is; for tasks that define one.
        lines: in the study's order; methods without any result are left out.
        seeds: how many the study wants.
    """

    primary: Mapping[str, str]
    lower: Mapping[str, bool]
    baselines: Mapping[str, tuple[float, str]]
    lines: tuple[Line, ...]
    seeds: int


def summarise(study: Study, finished: Mapping[Run, Result]) -> Summary:
    """Means over the seeds that are there.

    Args:
        study: whose.
        finished: from :meth:`~lstta_tasks.study.results.StudyResults.finished`.
    """
    tests = {run.task: result["test"] for run, result in finished.items()}
    return Summary(
        primary={task: test["primary"] for task, test in tests.items()},
        lower={task: test["lower_is_better"] for task, test in tests.items()},
        baselines={
            task: (test["baseline"], test["baseline_name"])
            for task, test in tests.items()
            if test["baseline"] is not None
        },
        lines=tuple(_lines(study, finished)),
        seeds=len(study.seeds),
    )


def _lines(study: Study, finished: Mapping[Run, Result]) -> Iterable[Line]:
    for key, method in study.methods.items():
        own = {run: result for run, result in finished.items() if run.method == key}
        cells = {}
        for task in dict.fromkeys(run.task for run in own):
            here = {run: result for run, result in own.items() if run.task == task}
            values = {run.seed: result["test"]["value"] for run, result in here.items()}
            trains = sum(next(iter(here.values()))["parameters"].values())
            cells[task] = Cell(values, next(iter(here)).value, trains)
        if own:
            adapter, head = (max(r["parameters"][part] for r in own.values()) for part in ("adapter", "head"))
            yield Line(key, method.label or key, adapter, head, cells, _watched(own.values()))


def _watched(results: Iterable[Result]) -> Watched | None:
    """The largest shares and lengths of some runs, and their jumps together; None where no run was watched."""
    told = [watched for result in results if (watched := result.get("watched"))]
    if not told:
        return None
    # Nothing but zeros: a dead adapter where there are units, else prompts, in results of before.
    adding = [one for one in told if one["dead"] or any(one["added"].values())]
    dead = [share for one in told for share in one["dead"].values()]
    added = [length for one in adding for length in one["added"].values()]
    return Watched(max(dead, default=None), max(added, default=None), sum(one["jumps"] for one in told))


def rows(finished: Mapping[Run, Result]) -> list[dict[str, Any]]:
    """A row for each run, as the CSV file has them."""
    return [
        {
            "task": run.task,
            "method": run.method,
            "seed": run.seed,
            "searched": run.value,
            "adapter_parameters": result["parameters"]["adapter"],
            "head_parameters": result["parameters"]["head"],
            "score": result["test"]["primary"],
            "val": result["val"]["value"],
            "test": result["test"]["value"],
            "baseline": result["test"]["baseline"],
            "seconds": round(sum(result["seconds"].values()), 1),
            "resumed": result["resumed"],
            **{f"watched_{key}": value for key, value in _columns(_watched([result])).items()},
        }
        for run, result in finished.items()
    ]


def _columns(watched: Watched | None) -> dict[str, float | int | None]:
    return {key: getattr(watched, key, None) for key in ("dead", "added", "jumps")}


def write_csv(path: Path, finished: Mapping[Run, Result]) -> None:
    """Every run that the tables are made of."""
    table = rows(finished)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(table[0]) if table else [])
    writer.writeheader()
    writer.writerows(table)
    write_whole(path, lambda draft: draft.write_bytes(text.getvalue().encode()))


def write_summary(
    path: Path, study: Study, summary: Summary, finished: Mapping[Run, Result], diverged: Mapping[Run, str]
) -> None:
    """Means and deviations, every run, and those that have diverged, with the reason."""
    lines = [
        {
            "method": line.key,
            "label": line.label,
            "adapter_parameters": line.adapter,
            "head_parameters": line.head,
            "watched": _columns(line.watched),
            "tasks": {
                task: {
                    "mean": cell.mean,
                    "deviation": cell.deviation,
                    "seeds": len(cell.values),
                    "searched": cell.searched,
                }
                for task, cell in line.cells.items()
            },
        }
        for line in summary.lines
    ]
    without = [
        {"task": run.task, "method": run.method, "seed": run.seed, "searched": run.value, "reason": reason}
        for run, reason in diverged.items()
    ]
    content = {
        "study": study.name,
        "scores": dict(summary.primary),
        "lines": lines,
        "runs": rows(finished),
        "diverged": without,
    }
    write_json(path, content)
