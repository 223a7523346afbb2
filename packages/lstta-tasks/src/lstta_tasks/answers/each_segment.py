"""What the kinds of answer that are given for every segment have in common, and targets on the time of a clip."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from lstta_core.interfaces import TIMED, Modality
from lstta_tasks.answers.kind import AnswerKind
from lstta_tasks.network import TaskNetwork, Tower
from lstta_tasks.sample import Sample, Target
from lstta_tasks.segment_network import Readings, SegmentNetwork


class EachSegment(AnswerKind):
    """A kind of answer for every segment of a clip. Subclasses are final.

    Targets have a row a second of the clip, from its start. Segments are equal parts of the clip, so a segment's target
    is the row of the second in which its middle lies (:meth:`at`); segments behind the last row have none.

    Attributes:
        segments: how many rows there are.
        readings: what of a segment is read, see :class:`~lstta_tasks.segment_network.SegmentNetwork`.
    """

    segments: int
    readings: Readings = (TIMED,)

    def towers(self, modalities: Sequence[Modality]) -> Mapping[str, Sequence[Modality]]:
        for of in self.readings:
            if not set(of) & set(modalities):
                raise ValueError(
                    f"answers for every segment are read from {' or '.join(of)}, and the model reads "
                    f"{', '.join(modalities)}"
                )
        return {"trimodal": modalities}

    def network(self, towers: Mapping[str, Tower]) -> TaskNetwork:
        tower = towers["trimodal"]
        return SegmentNetwork(tower=tower, head=self.head(tower.readout.width), readings=self.readings)

    @abstractmethod
    def in_words(self, said: Mapping[str, Any]) -> str:
        """A prediction for people, its segments counted from 1."""

    @abstractmethod
    def at(self, target: Target, rows: Sequence[int]) -> Target:
        """A target with these of its rows, in this order; rows that it has not are left open and count nowhere."""


def on_the_clips_time(
    kind: EachSegment, samples: Sequence[Sample], segments: int, duration: Callable[[str], float] | None
) -> list[Sample]:
    """Samples whose targets have a row a segment in place of a row a second.

    Args:
        kind: of their answers.
        samples: as the task reads them.
        segments: T.
        duration: of the clip of an id, in seconds; None where nobody knows: clips then last as long as the targets.
    """
    placed = []
    for sample in samples:
        lasts = kind.segments if duration is None else duration(sample.source.id)
        rows = [int((place + 0.5) * lasts / segments) for place in range(segments)]
        placed.append(replace(sample, target=kind.at(sample.target, rows)))
    return placed


def runs(names: Sequence[str | None]) -> list[tuple[str, int, int]]:
    """Neighbouring segments of one name: the name, the first of them and the one behind the last."""
    found, start = [], 0
    for name, some in groupby(names):
        end = start + len(list(some))
        if name is not None:
            found.append((name, start, end))
        start = end
    return found


def spans_in_words(spans: Iterable[Sequence[Any]]) -> str:
    """``Bark 4–8; Truck 1, 10``: names with their segments, counted from 1, of spans as :func:`runs` gives them."""
    said: dict[str, list[str]] = {}
    for name, start, end in spans:
        said.setdefault(name, []).append(f"{end}" if end == start + 1 else f"{start + 1}–{end}")
    return "; ".join(f"{name} {', '.join(places)}" for name, places in said.items())
