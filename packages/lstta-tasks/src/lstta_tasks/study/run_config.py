"""The configuration of a study's runs, and what tells two configurations apart."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.settings import WHERE, settings_of
from lstta_tasks.study.definition import Run, Study
from lstta_tasks.task import SPLITS, Task

if TYPE_CHECKING:
    from mmengine.config import Config


def configured(study: Study, run: Run) -> Config:
    """The config of a run: the task's, then the study's settings, the task's, the method's, and the searched one.

    Raises:
        ValueError: a setting does not fit.
    """
    task, method = study.tasks[run.task], study.methods[run.method]
    settings = {**study.settings, **task.settings, **study.where, **method.settings, "seed": run.seed}
    if study.key is not None and run.value is not None:
        settings[study.key] = run.value
    settings["method"] = {"_delete_": True, **method.method}
    config = load_config(task.config, settings)
    if "prefix" in config.clips and isinstance(method.prefix, str):
        config.clips.prefix += method.prefix
    elif not method.prefix:
        config.clips.pop("prefix", None)
    return config


def digest(study: Study, run: Run) -> str:
    """Of everything in a run's config that its result depends on; where data and caches lie is not in it."""
    settings = settings_of(configured(study, run), into_lists=False)
    sections = {key: value for key, value in settings.items() if not WHERE.fullmatch(key)}
    text = json.dumps(sections, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def placed(study: Study, where: Mapping[str, Any], tasks: Sequence[str]) -> Study:
    """The study with its data, caches and encoders elsewhere.

    Args:
        study: whose.
        where: config keys.
        tasks: those that they are for.

    Raises:
        ValueError: a key that says more than where things are, or one place for the data of several tasks.
    """
    if more := [key for key in where if not WHERE.fullmatch(key)]:
        raise ValueError(
            f"{more[0]}: results would depend on it, so it belongs into the study {study.path}; from outside come only "
            "task.root, clips.cache, clips.prefix, loader.workers, loader.timeout, log_interval, and model and "
            "revision of an encoder"
        )
    if len(tasks) > 1 and (own := [key for key in where if key.startswith(("task.", "clips."))]):
        raise ValueError(
            f"{own[0]}: one place for the data of {', '.join(tasks)}; name one of them with --only, then the others"
        )
    return replace(study, where=where)


def with_all_modalities(config: Config) -> Config:
    """The config of the same model with every encoder: its prefix cache serves runs on some of them too."""
    config = copy.deepcopy(config)
    del config.model["modalities"]
    return config


def data_digest(task: Task) -> str:
    """Of the samples of all splits: ids, clips, texts and targets."""
    sha = hashlib.sha256()
    for split in SPLITS:
        for sample in task.samples(split):
            sha.update(repr((split, sample.id, sample.source.id, sample.text, sample.target, sample.timed)).encode())
    return sha.hexdigest()[:16]
