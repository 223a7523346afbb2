"""Evaluation of an adapter folder on one split."""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstta_core.adapter_files import RECORD, AdapterFile, AdapterFileError
from lstta_tasks.adapter_record import check_part, options_of
from lstta_tasks.adapters import check_task, describing, load_into, read
from lstta_tasks.data.preprocessing import differences, preprocessing_from
from lstta_tasks.escaped import escaped
from lstta_tasks.experiment.batches import ready, through
from lstta_tasks.experiment.distributed import alone, join, together
from lstta_tasks.experiment.factories import factory_of
from lstta_tasks.experiment.missing import missing, parse
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.record import described
from lstta_tasks.experiment.rows import rows_of
from lstta_tasks.experiment.runner import TaskMetric
from lstta_tasks.experiment.same import check_same_data
from lstta_tasks.experiment.second_pass import score_again
from lstta_tasks.fitting import check_fits
from lstta_tasks.signatures import check_options
from lstta_tasks.task import Report, Split

if TYPE_CHECKING:
    from mmengine.config import Config

logger = logging.getLogger(__name__)


def evaluate(
    config: Config,
    adapter: Path,
    split: Split,
    launcher: str = "none",
    *,
    choices: bool = False,
    classes: bool = False,
    without: Sequence[str] = (),
    device: str | None = None,
) -> tuple[Report, dict[str, Any]]:
    """Evaluate an adapter on a split of a config's data.

    The method, the model's options and the vocabulary are the adapter's; the encoders, the data and the loader are
    the config's, and have to fit.

    Args:
        config: of the data.
        adapter: the folder.
        split: of the data.
        launcher: as for a training.
        choices: whether rows say the probabilities of all choices.
        classes: whether the answers must be classes, of which there is a table.
        without: modalities to be taken away in turn, such as ``audio`` or ``visual+audio``.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``; by default a GPU where there is one.

    Returns:
        The report (on the first rank; others get an empty one) and what a JSON file should say beside it.

    Raises:
        FileNotFoundError: the folder, the annotations or the cache is not there.
        AdapterFileError: the adapter was trained on other encoders, another task or other preprocessing.
        NotFiniteError: the loss, a prediction or a score is NaN or infinite.
        ValueError: the ranks read different samples; the answers are no classes and ``classes`` is asked for; the model
            has no modality of a name in ``without``; there is no such device.
    """
    alone(launcher, device)
    join(launcher)
    with together():
        experiment = restore(config, adapter)
        dataset = experiment.dataset(split)
        if classes and not experiment.task.answer.classes:
            raise ValueError(f"the task {experiment.task.name} does not pick from classes: there is no table of them")
        lost = parse(without, list(experiment.model.by_modality()))
    check_same_data({split: dataset.samples})
    model = experiment.model
    runner_model = ready(experiment, device)
    scorer = partial(score_again, experiment, runner_model)
    runner_model.tells_choices = choices

    def predicted(what: str) -> TaskMetric:
        metric = TaskMetric(task=experiment.task, samples=dataset.samples, scorer=scorer)
        for answers in through(experiment, experiment.loader(split, dataset), runner_model.test_step, what):
            metric.process(None, answers)
        metric.evaluate(len(dataset))
        return metric

    metric = predicted(split)
    report = metric.report or Report("", ())
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    details = {
        "split": split,
        "adapter": str(adapter),
        "samples": len(dataset),
        "missing_clips": dataset.missing,
        "trainable_parameters": trainable,
        "total_parameters": sum(p.numel() for p in model.parameters()),
        **asdict(report),
        "classes": list(experiment.task.answer.classes),
        "predictions": metric.predictions,
        "rows": rows_of(experiment.task, dataset.samples, metric.predictions, metric.choices),
    }
    if lost:
        details["without"] = {}
    for name, modalities in lost.items():
        with missing(experiment, modalities):
            found = predicted(name).report or Report("", ())
        details["without"][name] = {score.name: score.value for score in found.scores}
    return report, details


def tell_unused(options: Mapping[str, Any], adapter: Path) -> None:
    """Warn of options of the method and the model that are not what the adapter was trained with: they are not used.

    Args:
        options: of ``--cfg-options``.
        adapter: the folder.

    Raises:
        FileNotFoundError, AdapterFileError: as :func:`evaluate`.
    """
    given = {key: value for key, value in options.items() if key.partition(".")[0] in ("method", "model")}
    if not given:
        return
    record = read(adapter).record
    for key, value in given.items():
        if not _is_as_recorded(record, key.split("."), value):
            said = escaped(f"--cfg-options {key}={value!r}")
            logger.warning("%s is not used: method and model are as %s has them", said, escaped(str(adapter / RECORD)))


def _is_as_recorded(record: Any, keys: Sequence[str], value: Any) -> bool:
    """Whether a record says so, at a place and in all that is below it."""
    if isinstance(value, Mapping):
        return all(_is_as_recorded(record, [*keys, str(key)], v) for key, v in value.items() if key != "_delete_")
    for key in keys:
        if not isinstance(record, Mapping) or key not in record:
            return False
        record = record[key]
    return bool(record == (list(value) if isinstance(value, tuple) else value))


def restore(config: Config, adapter: Path) -> Experiment:
    """What a config describes, with an adapter's method, options and tensors. Raises as :func:`evaluate` does."""
    file = read(adapter)
    config = copy.deepcopy(config)
    config.method, config.model = file.record["method"], file.record["model"]
    wanted, trained_for = described("task", config.task)["name"], file.record["task"]["name"]
    if wanted != trained_for:
        raise AdapterFileError(f"{adapter}: trained for task {trained_for!r}, the config is for {wanted!r}")
    options, place = options_of(file.record["task"], "task"), file.folder / RECORD
    with describing(file):
        check_options(factory_of("task", "task", config.task), options, place, "task", paths=False, whole=False)
        check_part("method", file.record["method"]["name"], file.record["method"], place, "method")
    config.task.update(options)
    experiment = Experiment(config)
    encoders, task = experiment.encoders, experiment.task  # what is wrong with these is the config's fault
    with describing(file):
        check_task(file, task)
        check_fits(file, encoders, file.record["method"], task)
    load_into(experiment.model, file)
    _check_preprocessing(experiment, file)
    return experiment


def _check_preprocessing(experiment: Experiment, file: AdapterFile) -> None:
    trained = preprocessing_from(file.record["preprocessing"])
    if trained != experiment.preprocessing:
        raise AdapterFileError(
            f"{file.folder}: trained with other preprocessing than the config's (config here, adapter there): "
            + "; ".join(differences(experiment.preprocessing, trained))
        )
