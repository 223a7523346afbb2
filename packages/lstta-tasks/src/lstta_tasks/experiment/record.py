"""What is written into an adapter folder beside its tensors, so that its model can be built again without a config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lstta_core.input_digest import input_digest
from lstta_core.interfaces import Modality
from lstta_tasks.experiment.factories import Factory, callable_of, options_of, plain
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.needs import KEY, needs_of
from lstta_tasks.network import TaskNetwork

HOW = ("compile", "shard")
"""Options of the model that say how it is run, which are not for a record."""


def record_of(experiment: Experiment) -> dict[str, Any]:
    """What the config and its parts say: encoders, method, model, task and preprocessing."""
    config, choice = experiment.config, experiment.choice
    return {
        "encoders": {m: described(f"encoders.{m}", settings) for m, settings in config.encoders.items()},
        "method": {"name": choice.name, **choice.options},
        "model": {key: value for key, value in plain(config.model).items() if key not in HOW},
        "task": {"name": described("task", config.task)["name"], **experiment.task.options()},
        "preprocessing": asdict(experiment.preprocessing),
    }


def card(record: Mapping[str, Any], model: TaskNetwork) -> dict[str, Any]:
    """What ``adapter.json`` says: :func:`record_of`, the encoders that it was trained on and how their input was made,
    how much was trained, and whose code it needs.
    """
    by_modality, digests = model.by_modality(), model.digests()
    encoders = {}
    for m, settings in record["encoders"].items():
        if Modality(m) not in by_modality:
            continue
        encoder = by_modality[Modality(m)]
        said = {"name": encoder.name, "revision": encoder.revision, "licence": encoder.licence}
        base = {key: value for key, value in said.items() if value}
        encoders[m] = {**settings, "digest": digests[Modality(m)], **({"base": base} if base else {})}
    parameters = {
        "trainable": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "total": sum(p.numel() for p in model.parameters()),
    }
    inputs = {str(m): input_digest(encoder.spec) for m, encoder in by_modality.items()}
    needs = needs_of(record, encoders)
    return {**record, "encoders": encoders, "parameters": parameters, KEY: needs, "inputs": inputs}


def described(section: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """A section as JSON can say it: ``name`` and the options; a callable's name is ``"module:name"``."""
    name = settings["name"] if "name" in settings else _address(callable_of(section, settings["type"]))
    return {"name": name, **options_of(settings)}


def _address(factory: Factory) -> str:
    return f"{factory.__module__}:{factory.__qualname__}"
