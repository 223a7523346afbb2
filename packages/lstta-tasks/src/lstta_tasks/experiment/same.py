"""Ranks that would train on different data or different models: an error with the difference, before any step."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from lstta_tasks.experiment.distributed import by_rank, on_first, rank, ranks, together
from lstta_tasks.task import Sample


def check_same_data(splits: Mapping[str, Sequence[Sample]]) -> None:
    """Refuse ranks whose samples differ, those without a clip left out. All ranks call it.

    Args:
        splits: the samples by split.

    Raises:
        ValueError: a rank's samples are not rank 0's; the message names the first that differs.
    """
    if ranks() == 1:
        return
    own = {split: [(sample.id, _digest(sample)) for sample in samples] for split, samples in splits.items()}
    whole = hashlib.sha256(repr(own).encode()).hexdigest()
    if len(set(by_rank(whole))) == 1:
        return
    first = on_first(lambda: own)
    with together():
        for split, samples in own.items():
            if samples != first[split]:
                raise ValueError(_difference(split, first[split], samples))


def check_same_settings(said: Mapping[str, Any]) -> None:
    """Refuse ranks that were started with different settings, or encoders. All ranks call it.

    Args:
        said: flat.

    Raises:
        ValueError: a rank's are not rank 0's; the message names the first that differs, with both values.
    """
    first = on_first(lambda: said)
    with together():
        for key in {**first, **said}:
            if first.get(key) != said.get(key):
                raise ValueError(
                    f"rank {rank()} was started with other settings than rank 0: {key} is {said.get(key)!r} here and "
                    f"{first.get(key)!r} there. Give all ranks one config, and the same files"
                )


def _digest(sample: Sample) -> str:
    said = repr((sample.source.id, sample.text, sample.target, sample.labels, sample.timed))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _difference(split: str, first: Sequence[tuple[str, str]], here: Sequence[tuple[str, str]]) -> str:
    there, own = dict(first), dict(here)
    lacking, more = [name for name in there if name not in own], [name for name in own if name not in there]
    other = [name for name in own if name in there and own[name] != there[name]]
    found = (
        f"{lacking[0]!r} is missing here"
        if lacking
        else f"{more[0]!r} is missing there"
        if more
        else f"{other[0]!r} has another clip, text or answer"
        if other
        else "their order is another"
    )
    return (
        f"rank {rank()} has other samples of {split} than rank 0: {len(here):,} here, {len(first):,} there; {found}. "
        "Give all ranks the same annotations, and caches of the same clips"
    )
