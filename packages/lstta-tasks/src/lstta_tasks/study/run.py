"""Making one run of a study: train, select on val, evaluate once on test, write one result file."""

from __future__ import annotations

import platform
import time
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import torch

from lstta_core.finite import NotFiniteError
from lstta_core.whole_files import write_json
from lstta_tasks.adapters import read
from lstta_tasks.experiment.evaluate import evaluate
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.record import card, record_of
from lstta_tasks.file_lock import lock_beside
from lstta_tasks.prefix.build import build_prefix
from lstta_tasks.study.definition import Run, Study
from lstta_tasks.study.run_config import configured, data_digest, digest, with_all_modalities
from lstta_tasks.task import Report
from lstta_tasks.training.checkpoints import BEST, last_checkpoint
from lstta_tasks.training.train import train
from lstta_tasks.training.watch import watched

TOLERANCE = 0.05
"""How far from the study's budget a method may be."""
PACKAGES = ("lstta-core", "lstta-tasks", "torch", "numpy")


def make_run(study: Study, run: Run, *, work_dir: Path, result: Path) -> dict[str, Any]:
    """Make a run, or go on with one that was killed, and write its result file.

    A run that diverges has a result too, without scores: it is the worst of a search, and stands in no table.

    Args:
        study: of the run.
        run: what is wanted.
        work_dir: holds its run folder, one for each version of the data.
        result: the file, which appears whole.

    Raises:
        ValueError: the config does not fit, or the method trains more or less than the study's budget.
    """
    config = configured(study, run)
    experiment = Experiment(config)
    parameters = _parameters(study, run, experiment)
    if "prefix" in config.clips:
        path = experiment.prefix.path
        whole = Experiment(with_all_modalities(config)) if "modalities" in config.model else experiment
        with lock_beside(path.with_name(f"{path.name}.turn"), wait=True):  # who comes second finds it built
            build_prefix(whole)
    record, data = card(record_of(experiment), experiment.model), data_digest(experiment.task)
    folder = work_dir / f"data-{data}"
    resumed = last_checkpoint(folder) is not None
    start, processor = time.monotonic(), time.process_time()
    outcome: dict[str, Any]
    try:
        train(config, work_dir=folder, resume=True)
        trained = time.monotonic()
        outcome = _scores(folder / BEST, evaluate(config, folder / BEST, "test")[0])
    except NotFiniteError as error:
        trained = time.monotonic()
        outcome = {"diverged": str(error)}
    tested = time.monotonic()
    content = {
        "study": study.name,
        "task": run.task,
        "method": run.method,
        "seed": run.seed,
        "searched": {} if study.key is None else {study.key: run.value},
        "digest": digest(study, run),
        "options": record["method"],
        "parameters": parameters,
        **outcome,
        "watched": watched(folder),
        "seconds": {"train": round(trained - start, 1), "test": round(tested - trained, 1)},
        "resumed": resumed,
        "processor_seconds": round(time.process_time() - processor, 1),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine(),
        "versions": versions(),
        "encoders": {m: encoder["digest"] for m, encoder in record["encoders"].items()},
        "data": data,
    }
    write_json(result, content)
    return content


def versions() -> dict[str, str]:
    """Of Python and of what decides a result, by the name of the distribution: two of them hold ``mmengine``."""
    engines = packages_distributions().get("mmengine", ())
    return {"python": platform.python_version(), **{name: version(name) for name in (*PACKAGES, *engines)}}


def _scores(best: Path, report: Report) -> dict[str, Any]:
    """What val has chosen, and the report of the test split."""
    primary, chosen = report.score(report.primary), read(best).record["selected"]
    value = chosen[report.primary]
    return {
        "val": {
            "primary": report.primary,
            "value": value,
            "merit": -value if primary.lower_is_better else value,
            "epoch": chosen["epoch"],
        },
        "test": {
            "primary": report.primary,
            "value": primary.value,
            "count": primary.count,
            "baseline": primary.baseline,
            "baseline_name": primary.baseline_name,
            "lower_is_better": primary.lower_is_better,
            "scores": {score.name: score.value for score in report.scores},
        },
    }


def _parameters(study: Study, run: Run, experiment: Experiment) -> dict[str, int]:
    """What the method trains, and what readout and head do.

    Raises:
        ValueError: the method was given the study's budget and is off by more than the tolerance.
    """
    adapter = experiment.choice.parameters
    trained = sum(p.numel() for p in experiment.model.parameters() if p.requires_grad)
    if "budget" in experiment.config.method and study.budget is not None:
        off = adapter / study.budget - 1
        if abs(off) > TOLERANCE:
            raise ValueError(
                f"{study.path}: {run.method} trains {adapter:,} parameters on {run.task}, {off:+.1%} of the budget of "
                f"{study.budget:,}; at most {TOLERANCE:.0%} are allowed: choose another budget"
            )
    return {"adapter": adapter, "head": trained - adapter}
