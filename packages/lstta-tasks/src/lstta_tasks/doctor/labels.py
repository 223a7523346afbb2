"""How often what is to be predicted comes, and targets that cannot be learnt."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lstta_tasks.doctor.finding import Finding, Level
from lstta_tasks.task import Sample, Split

IMBALANCE = 0.9  # the share of one class from which it is told
BINS = 7
OUTSIDE = "(outside the vocabulary)"
Balance = dict[Split, Counter[str]]


def balance(samples: Mapping[Split, Sequence[Sample]]) -> Balance:
    """How often each class comes in each split; numbers on a scale are counted in :data:`BINS` equal bins.

    Empty where targets are no classes but name clips, as in retrieval: where samples have one target just where they
    have one clip.
    """
    everything = [sample for some in samples.values() for sample in some]
    if any(isinstance(sample.target, float) for sample in everything):
        edges = np.histogram_bin_edges([s.target for s in everything if math.isfinite(s.target)] or [0.0], BINS)
        return {split: Counter(_bin(s.target, edges) for s in some) for split, some in samples.items()}
    if all(_name_clips(some) for some in samples.values()):
        return {split: Counter() for split in samples}
    names = _class_names(everything)
    return {split: Counter(names[int(s.target)] for s in some) for split, some in samples.items()}


def check_labels(samples: Mapping[Split, Sequence[Sample]], counts: Balance) -> Iterator[Finding]:
    """Targets that are no numbers or outside the vocabulary, classes that train lacks, and lopsided splits."""
    for split, some in samples.items():
        for sample in some:
            if not math.isfinite(sample.target):
                yield Finding("error", "target", split, sample.id, f"its target is {sample.target}")
            elif isinstance(sample.target, int) and sample.target < 0:
                detail = f"{', '.join(sample.labels)}: nothing is learnt from it, and it counts as wrong"
                yield Finding("warning", "outside the vocabulary", split, sample.id, detail)
    for split, count in counts.items():
        yield from _lopsided(split, count)
        if "train" in counts:
            for name in sorted(set(count) - set(counts["train"]) - {OUTSIDE}):
                detail = f"{name!r} comes {count[name]} times in {split} and never in train"
                yield Finding("warning", "not in train", split, "", detail)


def _lopsided(split: Split, count: Counter[str]) -> Iterator[Finding]:
    if not count:
        return
    name, most = count.most_common(1)[0]
    if len(count) == 1:
        level: Level = "error" if split == "train" or name == OUTSIDE else "warning"
        yield Finding(level, "one class", split, "", f"all {most} samples are {name!r}")
    elif most > IMBALANCE * count.total():
        yield Finding("warning", "imbalance", split, "", f"{most} of {count.total()} samples are {name!r}")


def _name_clips(samples: Sequence[Sample]) -> bool:
    pairs = {(sample.target, sample.source.id) for sample in samples}
    return len(pairs) == len({target for target, _ in pairs}) == len({clip for _, clip in pairs})


def _class_names(samples: Sequence[Sample]) -> dict[int, str]:
    """A name for each class: the last of the samples' labels that tells classes apart, or else its number."""
    classes = {int(sample.target) for sample in samples if sample.target >= 0}
    names = {number: str(number) for number in classes}
    for column in range(min(len(sample.labels) for sample in samples)):
        pairs = {(int(sample.target), sample.labels[column]) for sample in samples if sample.target >= 0}
        if len(pairs) == len(classes) == len({label for _, label in pairs}):
            names = dict(pairs)
    return {**names, **{int(sample.target): OUTSIDE for sample in samples if sample.target < 0}}


def _bin(value: float, edges: NDArray[np.float64]) -> str:
    if not math.isfinite(value):
        return str(value)
    place = min(int(np.searchsorted(edges, value, side="right")), len(edges) - 1)
    return f"{edges[place - 1]:+.2f} to {edges[place]:+.2f}"
