"""What a writer of a data set has to say of it: the rest is ``generate.py``, the same for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lstta_world.relevant_seconds import RelevantSamples
from lstta_world.shown import Shown
from lstta_world.splits import Split

Counts = Mapping[Split, int]


@dataclass(frozen=True)
class Contents:
    """What belongs into the folder of a data set. Paths are relative to it, with ``/``.

    Attributes:
        samples: how many there are in each split.
        annotations: files and their bytes.
        films: files and what they show.
        relevant: which seconds matter to which sample; a split without samples where nobody knows.
    """

    samples: Counts
    annotations: Mapping[str, bytes]
    films: Mapping[str, Shown]
    relevant: RelevantSamples


@dataclass(frozen=True)
class DataSet:
    """A data set that can be generated.

    Attributes:
        recorded: what its folder is known by, beside the counts and the seed: ``dataset``, and an ``edition`` that
            rises with every change that makes other clips of this data set from the same arguments.
        contents: draws it, from the number of clips of each split and a seed, without rendering anything.
    """

    recorded: Mapping[str, str | int]
    contents: Callable[[Counts, int], Contents]
