"""The file beside a data set that says which seconds of its clip matter to which sample. ``docs/importances.md`` has
its format, so that anybody can write one for data of their own.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstta_core.interfaces import Modality
from lstta_tasks.annotations.files import parse_json
from lstta_tasks.task import SPLITS, Split

RELEVANT_SECONDS = "relevant_seconds.json"
SCHEMA = 1
ROUNDING = 0.1  # seconds that a span may reach past the end of its clip: files round differently
Spans = list[tuple[float, float]]
"""(start, end) in seconds from the clip's start, half open; rising, disjoint, none of them empty."""


@dataclass(frozen=True)
class RelevantSeconds:
    """What one sample rests on.

    Attributes:
        spans: by modality; an empty list where no second matters more than another, no list where nobody knows.
        group: what is measured apart, such as a type of question; "" where there are no groups.
    """

    spans: Mapping[Modality, Spans]
    group: str = ""


def relevance_file(task: Mapping[str, Any]) -> Path | None:
    """Where the file of a data set is, if it has one: in the folder ``task.root``, or beside the table ``task.path``.

    Args:
        task: the section of the config.
    """
    if task.get("root") is not None:
        file = Path(task["root"]) / RELEVANT_SECONDS
    elif task.get("path") is not None:
        file = Path(task["path"]).parent / RELEVANT_SECONDS
    else:
        return None
    return file if file.is_file() else None


def read_relevant_seconds(file: Path, split: Split, samples: Collection[str]) -> dict[str, RelevantSeconds]:
    """What the file says of a split, by sample id; empty if it does not name the split.

    Args:
        file: see :func:`relevance_file`.
        split: whose samples are wanted; the others are not looked at.
        samples: the ids of all samples of the split, as the task reads them.

    Raises:
        ValueError: the file is malformed, or names a sample that is none.
    """
    try:
        content = parse_json(file.read_text(encoding="utf-8"), finite=False)
    except ValueError as error:
        raise ValueError(f"{file}: not JSON as it should be ({error}); write it again, or take it away") from error
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != SCHEMA:
        raise ValueError(f"{file}: schema must be {SCHEMA}, got {schema!r}; write it as docs/importances.md has it")
    _check_keys(file, "the file", content, {"schema", "splits"})
    splits = _object(file, "splits", content.get("splits"))
    _check_keys(file, "splits", splits, set(SPLITS))
    entries = _object(file, f"split {split!r}", splits.get(split, {}))
    known_ids = set(samples)
    for sample in entries:
        if sample not in known_ids:
            raise ValueError(
                f"{file}: the split {split!r} has no sample {sample!r}, its {len(known_ids)} samples are called "
                f"{', '.join(map(repr, list(samples)[:2]))}, …: take it out, or name it as the task does"
            )
    return {sample: _entry(file, sample, entry) for sample, entry in entries.items()}


def check_within_clips(file: Path, relevant: Mapping[str, RelevantSeconds], durations: Mapping[str, float]) -> None:
    """Check that spans lie within the clips.

    Args:
        file: for messages.
        relevant: by sample id.
        durations: in seconds, of the samples' clips; samples without one are left out.

    Raises:
        ValueError: a span ends more than :data:`ROUNDING` seconds after its clip.
    """
    for sample, duration in durations.items():
        for modality, spans in relevant[sample].spans.items():
            if spans and spans[-1][1] > duration + ROUNDING:
                start, end = spans[-1]
                raise ValueError(
                    f"{file}, sample {sample!r}: the {modality} span [{start:g}, {end:g}] ends after the clip, which "
                    f"lasts {duration:g} seconds: seconds count from the clip's start; correct the span"
                )


def covered(spans: Spans, start: float, end: float) -> float:
    """How many seconds of [start, end) the spans cover."""
    return sum(max(0.0, min(last, end) - max(first, start)) for first, last in spans)


def _entry(file: Path, sample: str, entry: object) -> RelevantSeconds:
    place = f"sample {sample!r}"
    fields = _object(file, place, entry)
    _check_keys(file, place, fields, {"group", *Modality})
    group = fields.get("group", "")
    if not isinstance(group, str):
        raise ValueError(f"{file}, {place}: group must be a text, got {group!r:.80}; leave it out where there is none")
    return RelevantSeconds({m: _spans(file, sample, m, fields[m]) for m in Modality if m in fields}, group)


def _spans(file: Path, sample: str, modality: Modality, values: object) -> Spans:
    place = f"{file}, sample {sample!r}: {modality}"
    if not isinstance(values, list):
        raise ValueError(f"{place} must be a list of [start, end], got {values!r:.80}")
    spans: Spans = []
    for value in values:
        if not (isinstance(value, list) and len(value) == 2 and all(map(_is_time, value)) and value[0] < value[1]):
            raise ValueError(f"{place} has the span {value!r:.80}: [start, end] in seconds, 0 ≤ start < end, is wanted")
        if spans and value[0] < spans[-1][1]:
            raise ValueError(f"{place} has [{value[0]:g}, {value[1]:g}] after {list(spans[-1])}: sort and join spans")
        spans.append((float(value[0]), float(value[1])))
    return spans


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _object(file: Path, place: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{file}, {place}: an object is wanted, got {value!r:.80}; docs/importances.md has the format")
    return value


def _check_keys(file: Path, place: str, fields: Mapping[str, Any], wanted: Collection[str]) -> None:
    strange = sorted(set(fields) - set(wanted))
    if strange:
        raise ValueError(f"{file}, {place}: nothing reads {strange[0]!r}; there are {', '.join(sorted(wanted))}")
