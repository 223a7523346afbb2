"""The file that says which seconds of its clip matter to which sample. The README of the package has its format.

Whatever measures the importances of segments reads it; nothing of it is needed to train.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from lstta_world.relevance import Relevant
from lstta_world.splits import Split

RELEVANT_SECONDS = "relevant_seconds.json"
SCHEMA = 1


@dataclass(frozen=True)
class RelevantSample:
    """What a sample rests on.

    Attributes:
        relevant: the seconds of sight and of sound, counted from the clip's start.
        group: what is measured apart, such as a type of question; "" where there are no groups.
    """

    relevant: Relevant
    group: str = ""


RelevantSamples = Mapping[Split, Mapping[str, RelevantSample]]
"""By the split and the id of the sample, as readers of the data set make it from its files."""


def relevant_seconds_file(samples: RelevantSamples) -> bytes:
    """The file's content: JSON, a sample a line."""
    splits = [f" {json.dumps(split)}: {{{_lines(of_split)}}}" for split, of_split in samples.items()]
    joined = ",\n".join(splits)
    return f'{{"schema": {SCHEMA}, "splits": {{\n{joined}\n}}}}\n'.encode()


def _lines(samples: Mapping[str, RelevantSample]) -> str:
    return ",".join(f"\n  {json.dumps(name)}: {json.dumps(_entry(sample))}" for name, sample in samples.items())


def _entry(sample: RelevantSample) -> dict[str, object]:
    group = {"group": sample.group} if sample.group else {}
    return {**group, "visual": sample.relevant.visual, "audio": sample.relevant.audio}
