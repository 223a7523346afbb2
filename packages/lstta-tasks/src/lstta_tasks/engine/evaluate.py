"""Evaluation of an adapter folder on one split."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import init_dist, is_distributed, is_main_process
from tqdm import tqdm

from lstta_core.adapter_files import AdapterFile, AdapterFileError, read_adapter
from lstta_tasks.adapters import load_into
from lstta_tasks.data.preprocessing import Preprocessing
from lstta_tasks.engine.experiment import Experiment
from lstta_tasks.engine.metric import TaskMetric
from lstta_tasks.engine.mm_model import RunnerModel
from lstta_tasks.task import Report, Split


def evaluate(config: Config, adapter: Path, split: Split, launcher: str = "none") -> tuple[Report, dict[str, Any]]:
    """Evaluate an adapter on a split of a config's data.

    The method, the model's options and the vocabulary are the adapter's; the encoders, the data and the loader are
    the config's, and have to fit.

    Returns:
        The report (on the first rank; others get an empty one) and what a JSON file should say beside it.

    Raises:
        AdapterFileError: the adapter was trained on other encoders, another task or other preprocessing.
    """
    if launcher != "none" and not is_distributed():
        init_dist(launcher, backend="nccl" if torch.cuda.is_available() else "gloo")
    file = read_adapter(adapter)
    config = config.copy()
    config.method, config.model = file.record["method"], file.record["model"]
    if config.task["name"] != file.record["task"]["name"]:
        raise AdapterFileError(
            f"{adapter}: trained for task {file.record['task']['name']!r}, the config is for {config.task['name']!r}"
        )
    config.task.update(file.record["task"])
    experiment = Experiment(config)
    _check_preprocessing(experiment, file)
    model = experiment.model
    load_into(model, file)
    dataset = experiment.dataset(split)
    metric = TaskMetric(task=experiment.task, samples=dataset.samples)
    runner_model = RunnerModel(model=model, task=experiment.task).to(get_device()).eval()
    with torch.no_grad():
        for batch in tqdm(experiment.loader(split, dataset), desc=split, disable=None if is_main_process() else True):
            metric.process(batch, runner_model.test_step(batch))
    metric.evaluate(len(dataset))
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
        "predictions": metric.predictions,
    }
    return report, details


def _check_preprocessing(experiment: Experiment, file: AdapterFile) -> None:
    trained = Preprocessing.from_dict(file.record["preprocessing"])
    if trained != experiment.preprocessing:
        raise AdapterFileError(
            f"{file.folder}: trained with other preprocessing than the config's (config here, adapter there): "
            + "; ".join(experiment.preprocessing.differences(trained))
        )
