"""The README.md of an adapter folder: what it was trained on, for what, how well, and how to use it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def model_card(record: Mapping[str, Any]) -> str:
    """Markdown for people, from what ``adapter.json`` says; parts that a record lacks are left out.

    Args:
        record: ``encoders`` (by modality: name, digest and perhaps ``base``, what is known of the weights: name,
            revision, licence), ``method``, ``task``, ``selected`` (the figures it was chosen by), ``parameters``
            (trainable, total), ``needs`` (distribution and version of each part), ``command``.
    """
    method = record.get("method", {})
    parts = [f"# A trained adapter: {method.get('name', 'unnamed method')}"]
    if "parameters" in record:
        trainable, total = record["parameters"]["trainable"], record["parameters"]["total"]
        share = f"{trainable:,} of {total:,} parameters were trained ({trainable / total:.2%})"
        parts.append(f"{share} and are here; the rest is frozen.")
    if record.get("encoders"):
        rows = [_encoder_row(modality, base) for modality, base in record["encoders"].items()]
        head = "| modality | base model | revision | licence | digest of the weights |\n|---|---|---|---|---|"
        parts.append("\n".join(["## Base models", "", head, *rows]))
    if "task" in record:
        parts.append(f"## Task\n\n`{record['task'].get('name', 'unnamed')}`, with the options in `adapter.json`.")
    if "selected" in record:
        figures = "\n".join(f"- {name}: {_figure(value)}" for name, value in record["selected"].items())
        parts.append(f"## Figures\n\n{figures}\n\nof the split that it was selected on; not a test result.")
    if record.get("needs"):
        needs = "\n".join(
            f"- {part}: {home['distribution']} {home['version']}" for part, home in record["needs"].items()
        )
        parts.append(f"## Needs\n\n{needs}")
    if "command" in record:
        parts.append(f"## Command\n\n```\n{record['command']}\n```")
    options = json.dumps({key: value for key, value in method.items() if key != "name"})
    parts.append(f"## Method\n\n`{method.get('name', 'unnamed')}` with `{options}`.")
    return "\n\n".join(parts) + "\n"


def _encoder_row(modality: str, base: Mapping[str, Any]) -> str:
    weights = {**base, **base.get("base", {})}
    revision, licence = weights.get("revision") or "–", weights.get("licence") or "not stated"
    return (
        f"| {modality} | `{weights.get('name', 'unnamed')}` | {revision} | {licence} "
        f"| `{weights.get('digest', '')[:16]}…` |"
    )


def _figure(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
