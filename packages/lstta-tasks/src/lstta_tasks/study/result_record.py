"""What a result file of a study says, as plain dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lstta_core.checked import RecordError, check


@dataclass(frozen=True)
class Parameters:
    """How many the method trains, and how many readout and head do."""

    adapter: int
    head: int


@dataclass(frozen=True)
class Chosen:
    """What was selected on val; the higher the merit the better."""

    primary: str
    value: float
    merit: float
    epoch: int


@dataclass(frozen=True)
class Tested:
    """The report of the test split."""

    primary: str
    value: float
    count: int
    lower_is_better: bool
    baseline: float | None
    baseline_name: str | None
    scores: Mapping[str, float | None]


@dataclass(frozen=True)
class Watching:
    """What :func:`lstta_tasks.training.watch.watched` says of a run's adapters, by their names."""

    dead: Mapping[str, float]
    added: Mapping[str, float]
    jumps: int


@dataclass(frozen=True)
class ResultRecord:
    """All keys. A run that diverged says why, and has neither ``val`` nor ``test``."""

    study: str
    task: str
    method: str
    seed: int
    searched: Mapping[str, float | None]
    digest: str
    options: Mapping[str, Any]
    parameters: Parameters
    seconds: Mapping[str, float]
    resumed: bool
    encoders: Mapping[str, str]
    data: str
    val: Chosen | None = None
    test: Tested | None = None
    diverged: str | None = None
    watched: Watching | None = None
    processor_seconds: float | None = None
    threads: int | None = None
    device: str | None = None
    versions: Mapping[str, str] | None = None


def check_result(result: Any, place: object) -> None:
    """Refuse what is no result.

    Raises:
        RecordError: the message names file and key.
    """
    check(ResultRecord, result, place)
    if result.get("diverged") is None and (lacking := [key for key in ("val", "test") if result.get(key) is None]):
        raise RecordError(f"{place}: {lacking[0]}: it is missing")
    for key in ("adapter", "head"):
        if result["parameters"][key] < 0:
            raise RecordError(f"{place}: parameters.{key}: 0 or more is wanted, got {result['parameters'][key]}")
