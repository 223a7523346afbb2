"""What is written into an adapter folder beside its tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lstta_core.interfaces import Modality
from lstta_tasks.network import TaskNetwork


def card(record: Mapping[str, Any], model: TaskNetwork) -> dict[str, Any]:
    """What ``adapter.json`` says: an experiment's record, the encoders it was trained on, and how much was trained."""
    by_modality, digests = model.by_modality(), model.digests()
    encoders = {}
    for m, settings in record["encoders"].items():
        if Modality(m) not in by_modality:
            continue
        encoder = by_modality[Modality(m)]
        known = {"name": encoder.name, "revision": encoder.revision, "licence": encoder.licence}
        base = {key: value for key, value in known.items() if value}
        encoders[m] = {**settings, "digest": digests[Modality(m)], **({"base": base} if base else {})}
    parameters = {
        "trainable": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "total": sum(p.numel() for p in model.parameters()),
    }
    return {**record, "encoders": encoders, "parameters": parameters}
