"""The splits of a data set, and the random numbers of each of their clips."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.random import Generator

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")


def scene_rng(seed: int, split: Split, index: int) -> Generator:
    """The random numbers of clip ``index`` of a split: the same whatever else is generated."""
    return np.random.default_rng([seed, SPLITS.index(split), index])
