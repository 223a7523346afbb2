"""The page of an adapter on the hub: the folder's README.md, the hub's metadata before and how to load it behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lstta_core.adapter_files import CARD, AdapterFile
from lstta_core.model_card import model_card

PLACES = ("epoch", "step", "split")
"""What ``selected`` of a record says beside figures."""


def hub_card(file: AdapterFile, repo: str, *, licence: str | None = None, data: Sequence[str] = ()) -> str:
    """Markdown with a YAML header.

    A README.md that begins with a header is somebody's own, and stays as it is.

    Args:
        file: the adapter.
        repo: ``USER/NAME``.
        licence: of what was trained, as the hub abbreviates licences (``apache-2.0``).
        data: what it was trained on: data sets of the hub as ``USER/NAME``, others by any name.

    Raises:
        ValueError: the README.md has a header already, and there is a licence or data to write into it.
    """
    path = file.folder / CARD
    text = path.read_text(encoding="utf-8") if path.is_file() else model_card(file.record)
    if text.startswith("---"):
        if licence or data:
            raise ValueError(f"{path} has a header of its own: write licence and data sets into that")
        return text
    said = f"\n\n## Data\n\nTrained on {', '.join(data)}." if data else ""
    header = _metadata(file.record, repo, licence, data)
    return f"---\n{header}\n---\n\n{text.rstrip()}{said}\n\n{_how_to_load(file.record, repo)}"


def _metadata(record: Mapping[str, Any], repo: str, licence: str | None, data: Sequence[str]) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    task, method, name = record["task"]["name"], record["method"]["name"], repo.partition("/")[2]
    selected = record.get("selected", {})
    figures = {key: value for key, value in selected.items() if key not in PLACES and not isinstance(value, str)}
    known_as = [
        (encoder.get("base", {}).get("name", ""), encoder.get("model")) for encoder in record["encoders"].values()
    ]
    bases = {base for base, model in known_as if base == model and base.count("/") == 1}  # by its name on the hub
    results = [
        EvalResult(
            task_type=task,
            dataset_type=data[0] if data else task,
            dataset_name=data[0] if data else task,
            dataset_split=str(selected.get("split", "val")),
            metric_type=key,
            metric_value=value,
        )
        for key, value in figures.items()
    ]
    modalities = ["video" if m == "visual" else "text" if m == "language" else m for m in record["encoders"]]
    known = ModelCardData(
        library_name="lstta",
        tags=["lstta", "adapter", task, method, *modalities],
        license=licence,
        datasets=[one for one in data if one.count("/") == 1] or None,
        base_model=sorted(bases) or None,
        metrics=list(figures) or None,
        model_name=name if results else None,
        eval_results=results or None,
    )
    return known.to_yaml()


def _how_to_load(record: Mapping[str, Any], repo: str) -> str:
    ours = {"lstta-core", "lstta-tasks"}  # the first comes with the second
    others = sorted({home["distribution"] for home in record.get("needs", {}).values()} - ours)
    own = [m for m, encoder in record["encoders"].items() if ":" in encoder["name"]]
    encoders = f", encoders={{{', '.join(f'{m!r}: …' for m in own)}}}" if own else ""
    installed = " ".join(["'lstta-tasks[hub]'", *others])
    return (
        f"## How to load\n\n```\npip install {installed}\n"
        f'lstta infer {repo} clip.mp4 "…"\n```\n\n'
        "```python\nfrom lstta_tasks.adapters import load\n\n"
        f'predictor = load("{repo}"{encoders})  # revision="…" pins a commit of this page\n'
        'print(predictor.predict("clip.mp4", "…"))\n```\n'
    )
