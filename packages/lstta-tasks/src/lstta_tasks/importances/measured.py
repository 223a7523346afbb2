"""What was measured of an adapter's importances, put together from a split's predictions and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstta_core.interfaces import Modality
from lstta_tasks.importances.agreement import Agreement, agreement, relevant_segments, tells_apart
from lstta_tasks.importances.rankings import Order, Scores
from lstta_tasks.importances.relevance_file import RelevantSeconds
from lstta_tasks.task import Predictions, Sample, Task

ALL = "all samples"
TIMED = "samples with relevant seconds"
Matters = Mapping[str, Mapping[Modality, NDArray[np.bool_]]]
"""(T,) bool of each sample and modality: of which segments it is so, such as that they matter."""


@dataclass(frozen=True)
class Curve:
    """A primary score while segments are removed.

    Attributes:
        by: the explanation that ranks them, or chance.
        way: which go first.
        values: (repetitions, K), with more and more segments of each modality removed, from none.
    """

    by: str
    way: str
    values: tuple[tuple[float, ...], ...]

    @property
    def mean(self) -> list[float]:
        """(K,), over the repetitions."""
        return [float(value) for value in np.mean(self.values, axis=0)]


@dataclass(frozen=True)
class Measured:
    """What was measured of one adapter on one split.

    Attributes:
        agreement: by explanation, modality and group, such as a type of question ("" for all); empty where no
            seconds are known.
        curves: by group of samples.
        samples: how many each group has.
        removed: (K,), how many segments are removed at each point of the curves.
        metric: the primary score's name.
        lower_is_better: of it.
    """

    agreement: Mapping[str, Mapping[str, Mapping[str, Agreement]]]
    curves: Mapping[str, Sequence[Curve]]
    samples: Mapping[str, int]
    removed: Sequence[int]
    metric: str
    lower_is_better: bool


def segments_that_matter(
    relevant: Mapping[str, RelevantSeconds], durations: Mapping[str, float], segments: int
) -> Matters:
    """Which segments of which samples matter, of sight and of sound; none where nobody knows.

    Args:
        relevant: by sample id.
        durations: in seconds, of the clips that the samples are about.
        segments: T.
    """
    return {
        sample: {
            m: relevant_segments(relevant[sample].spans.get(m, []), duration=duration, segments=segments)
            for m in (Modality.VISUAL, Modality.AUDIO)
        }
        for sample, duration in durations.items()
    }


def agreements(
    scores: Scores, matters: Matters, seen: Matters, relevant: Mapping[str, RelevantSeconds], clips: Mapping[str, str]
) -> dict[str, dict[str, Agreement]]:
    """By modality and group of samples, such as a type of question; "" for all of them.

    Args:
        scores: of an explanation.
        matters: of the same samples or fewer.
        seen: of all samples: which segments hold anything. The others are left out: nobody can look there.
        relevant: their groups.
        clips: the ids of their clips.
    """
    named = sorted({relevant[sample].group for sample in matters} - {""})
    by_modality: dict[str, dict[str, Agreement]] = {}
    for modality in dict.fromkeys(m for numbers in scores.values() for m in numbers):
        for group in ["", *named]:
            members = [sample for sample in matters if group in ("", relevant[sample].group)]
            result = agreement(
                [scores[sample][modality][seen[sample][modality]] for sample in members],
                [matters[sample][modality][seen[sample][modality]] for sample in members],
                [clips[sample] for sample in members],
            )
            if result is not None:
                by_modality.setdefault(str(modality), {})[group] = result
    return by_modality


def groups(samples: Sequence[Sample], matters: Matters) -> dict[str, list[Sample]]:
    """All samples; and those with segments that matter and others, in sight or in sound, if there are any."""
    timed = [s for s in samples if any(tells_apart(segments) for segments in matters.get(s.id, {}).values())]
    return {ALL: list(samples), **({TIMED: timed} if timed else {})}


def curves(
    task: Task,
    samples: Sequence[Sample],
    whole: Predictions,
    removed: Sequence[tuple[Order, Sequence[Predictions]]],
) -> list[Curve]:
    """The curves of some samples.

    Args:
        task: whose primary score is meant.
        samples: that are reported on.
        whole: predictions with nothing removed.
        removed: of each order, the predictions with more and more segments removed.
    """

    def primary(predictions: Predictions) -> float:
        report = task.answer.report({sample.id: predictions[sample.id] for sample in samples}, samples)
        return report.value(report.primary)

    start = primary(whole)
    values: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    for order, answers in removed:
        values.setdefault((order.by, order.way), []).append((start, *map(primary, answers)))
    return [Curve(*name, tuple(repetitions)) for name, repetitions in values.items()]
