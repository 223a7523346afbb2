"""Making the runs of a study that are missing, one after the other, beside others who do the same."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path

from lstta_tasks.experiment.named import check_method
from lstta_tasks.file_lock import lock_beside
from lstta_tasks.study.definition import Run, Study
from lstta_tasks.study.results import StudyResults
from lstta_tasks.study.run import make_run
from lstta_tasks.study.run_config import configured, digest

POLL = 5.0
"""Seconds between two looks at what others have finished."""


def _to_stderr(line: str) -> None:
    # In one piece: several processes say what they begin, and print writes the end of a line by itself.
    sys.stderr.write(f"{line}\n")


def results_of(study: Study, *, so_far: bool = False) -> StudyResults:
    """What the study has so far. Every config is read, so that a mistake in one shows before the first run.

    Args:
        study: whose.
        so_far: see :class:`~lstta_tasks.study.results.StudyResults`.

    Raises:
        ValueError: a config does not fit, or a result is not this study's.
    """
    first = study.search.values[0] if study.search else None
    try:
        for method, compared in study.methods.items():
            check_method(f"methods.{method}.method", compared.method)
            for task in study.tasks:
                configured(study, Run(task, method, study.seeds[0], first))
    except (ValueError, LookupError) as error:
        raise ValueError(f"{study.path}: {error.args[0] if error.args else error}") from error
    return StudyResults(study, partial(digest, study), so_far=so_far)


def make_missing(
    study: Study,
    *,
    work_dir: Path,
    wanted: Callable[[Run], bool] = lambda run: True,
    most: int | None = None,
    so_far: bool = False,
    say: Callable[[str], None] = _to_stderr,
) -> int:
    """Make missing runs, those of the search first, until there are none; what others make meanwhile is waited for.

    Args:
        study: whose.
        work_dir: holds a run folder for each run. Processes that share it never make the same run at once.
        wanted: only these, see :func:`part_of`.
        most: make so many at most, and wait for nobody.
        so_far: see :class:`~lstta_tasks.study.results.StudyResults`.
        say: is told of each run.

    Returns:
        How many were made.
    """
    made, results = 0, results_of(study, so_far=so_far)
    while most is None or made < most:
        results.refresh()
        todo = [run for run in results.missing() if wanted(run)]
        if not todo:
            break
        if any(_make_alone(results, run, run_folder(work_dir, study, run), say) for run in todo):
            made += 1
        elif most is None:
            time.sleep(POLL)
        else:
            break
    return made


def run_folder(work_dir: Path, study: Study, run: Run) -> Path:
    """Where a run is made; with another configuration it is another folder, so that none goes on with another's."""
    return work_dir / study.name / f"{run.name}-{digest(study, run)}"


def part_of(index: int, count: int) -> Callable[[Run], bool]:
    """Whether a run belongs to the ``index``-th of ``count`` parts, for people who share no file system."""
    return lambda run: int(sha256(run.name.encode()).hexdigest(), 16) % count == index - 1


def _make_alone(results: StudyResults, run: Run, work_dir: Path, say: Callable[[str], None]) -> bool:
    """Make the run unless somebody else makes it or has made it; whether it was made."""
    with lock_beside(work_dir) as alone:
        if not alone or results.path(run).is_file():
            return False
        say(f"── {run.name}: about {results.seconds(run):.0f} s")
        made = make_run(results.study, run, work_dir=work_dir, result=results.path(run))
        if "diverged" in made:
            say(f"{run.name}: diverged: {made['diverged']}")
        else:
            val, test = made["val"], made["test"]
            say(f"{run.name}: val {val['value']:.4f}, test {test['primary']} {test['value']:.4f}")
    return True
