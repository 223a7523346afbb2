"""Epochs that have every class equally often: ``loader.sampling="balanced"``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from lstta_tasks.answers.kind import OUTSIDE_NAME, AnswerKind
from lstta_tasks.task import Sample

SAMPLINGS = ("shuffled", "balanced")


def check_sampling(value: object) -> None:
    """Raise a ValueError where ``loader.sampling`` is none of :data:`SAMPLINGS`."""
    if value not in SAMPLINGS:
        raise ValueError(f"loader.sampling: one of {', '.join(SAMPLINGS)} is wanted, got {value!r}")


def balanced_order(samples: Sequence[Sample], kind: AnswerKind, seed: int) -> Callable[[int], list[int]]:
    """The places of an epoch's samples, as many as there are samples, given the epoch's number.

    Each class has its share, by one more or less: drawn without replacement as long as it has samples, then again. An
    answer outside the vocabulary teaches nothing, and is left out.

    Args:
        samples: of the training.
        kind: that names their classes, or the bins of their numbers.
        seed: of the config; an epoch's order follows from it and the epoch's number alone.

    Raises:
        ValueError: a sample is not of exactly one class, or all are of one.
    """
    by_class: dict[str, list[int]] = defaultdict(list)
    for place, sample in enumerate(samples):
        names = kind.names(sample.target)
        if len(names) != 1:
            raise ValueError(
                "loader.sampling='balanced' wants samples of one class each, or with a number: sample "
                f"{sample.id!r} has {len(names)} names; leave it out"
            )
        by_class[names[0]].append(place)
    by_class.pop(OUTSIDE_NAME, None)
    groups = [np.array(by_class[name]) for name in sorted(by_class)]
    if len(groups) < 2:
        raise ValueError("loader.sampling='balanced': all training samples are of one class; leave it out")

    def order(epoch: int) -> list[int]:
        random = np.random.default_rng([seed, epoch])
        share, over = divmod(len(samples), len(groups))
        more = set(random.permutation(len(groups))[:over].tolist())
        drawn = [_drawn(group, share + (place in more), random) for place, group in enumerate(groups)]
        return [int(place) for place in random.permutation(np.concatenate(drawn))]

    return order


def _drawn(group: NDArray[np.int64], wanted: int, random: np.random.Generator) -> NDArray[np.int64]:
    rounds = [random.permutation(group) for _ in range(-(-wanted // len(group)))]
    return np.concatenate([*rounds, group[:0]])[:wanted]
