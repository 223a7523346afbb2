"""The configuration of a study's runs, and what tells two configurations apart."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from mmengine.config import Config

from lstta_tasks.engine.config import load_config
from lstta_tasks.engine.factories import plain
from lstta_tasks.study.definition import Run, Study
from lstta_tasks.task import SPLITS, Task

ELSEWHERE = {"task": ("root",), "clips": ("cache", "features"), "loader": ("workers",)}
"""Keys of a config that say where things are or how they are read, and do not change what comes out."""


def configured(study: Study, run: Run) -> Config:
    """The config of a run: the task's, then the study's settings, the task's, the method's, and the searched one.

    Raises:
        ValueError: a setting does not fit.
    """
    task, method = study.tasks[run.task], study.methods[run.method]
    settings = {**study.settings, **task.settings, **method.settings, "seed": run.seed}
    if study.search is not None:
        settings[study.search.key] = run.value
    if not method.features:
        settings.pop("clips.features", None)
    settings["method"] = {"_delete_": True, **method.method}
    return load_config(task.config, settings)


def digest(study: Study, run: Run) -> str:
    """Of everything in a run's config that its result depends on; where data and caches lie is not in it."""
    sections: dict[str, Any] = {
        key: value for key, value in plain(configured(study, run)).items() if key != "log_interval"
    }
    for section, keys in ELSEWHERE.items():
        sections[section] = {key: value for key, value in sections[section].items() if key not in keys}
    text = json.dumps(sections, sort_keys=True, default=_said)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def data_digest(task: Task) -> str:
    """Of the samples of all splits: ids, clips, texts and targets."""
    sha = hashlib.sha256()
    for split in SPLITS:
        for sample in task.samples(split):
            sha.update(repr((split, sample.id, sample.source.id, sample.text, sample.target, sample.timed)).encode())
    return sha.hexdigest()[:16]


def _said(value: Any) -> str:
    """A callable of a config, by its address."""
    return f"{value.__module__}.{value.__qualname__}"
