"""Adapters of any task without a data set and without training: fresh, with noise on what would be trained."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import seeded_encoders
import torch

from lstta_core.adapter_files import save_adapter, trained_tensors
from lstta_core.interfaces import Encoder, Modality
from lstta_core.plugins import installed_plugins
from lstta_tasks.adapters import Predictor
from lstta_tasks.data.clip import Preprocessing
from lstta_tasks.experiment.record import card
from lstta_tasks.network import TaskNetwork, build_model
from lstta_tasks.task import Task

METHOD: dict[str, Any] = {"name": "lstta", "width": 8, "heads": 2}
TOY = Preprocessing(segments=3, frame_size=(8, 12), fit="squash", sample_rate=47, sound_seconds=0.25)
TINY = Preprocessing(
    segments=3, frames_per_segment=2, frame_size=(48, 80), fit="squash", sample_rate=16000, sound_seconds=1.0
)


def predictor(task: Task, *, method: dict[str, Any] = METHOD, preprocessing: Preprocessing = TOY) -> Predictor:
    """With the toy encoders."""
    encoders = {m: getattr(seeded_encoders, m)(seed=5) for m in Modality}
    network = _network(task, encoders, method, {"stages": 2, "readout": {"width": 12, "heads": 2}})
    return Predictor(model=network, task=task, preprocessing=preprocessing)


def save_tiny(folder: Path, task: Task) -> Path:
    """An adapter folder with the tiny encoders, which plugins register."""
    names = {m: {"name": f"tiny-{m}"} for m in Modality}
    encoders = {m: installed_plugins().create("encoder", **settings) for m, settings in names.items()}
    options: dict[str, Any] = {"stages": 4, "readout": {"width": 16}}
    network = _network(task, encoders, METHOD, options)
    record = {
        "encoders": {str(m): settings for m, settings in names.items()},
        "method": METHOD,
        "model": options,
        "task": {"name": task.name, **task.options()},
        "preprocessing": asdict(TINY),
    }
    save_adapter(folder, trained_tensors(network, network.frozen()), card(record, network))
    return folder


def _network(
    task: Task, encoders: dict[Modality, Encoder], method: dict[str, Any], options: dict[str, Any]
) -> TaskNetwork:
    torch.manual_seed(3)
    network, _ = build_model(encoders=encoders, method=method, task=task, **options)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter += 0.3 * torch.randn_like(parameter)
    return network
