"""What was measured of an adapter's importances, put together from a split's predictions and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstta_core.interfaces import Modality
from lstta_tasks.importances.agreement import Agreement, agreement, relevant_segments, tells_apart
from lstta_tasks.importances.rankings import Order, Scores
from lstta_tasks.task import Predictions, Sample, Task
from lstta_world.relevant_samples import Known

ALL = "all samples"
TIMED = "samples with relevant seconds"
Matters = Mapping[str, Mapping[Modality, NDArray[np.bool_]]]
"""(T,) of each sample and modality: which segments matter."""


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
    """What was found.

    Attributes:
        agreement: by explanation, modality and type of question ("" for all); empty where no seconds are known.
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


def segments_that_matter(known: Mapping[str, Known], durations: Mapping[str, float], segments: int) -> Matters:
    """Which segments of which samples matter.

    Args:
        known: by sample id.
        durations: in seconds, of the clips that the samples are about.
        segments: T.
    """
    return {
        sample: {
            Modality(m): relevant_segments(getattr(known[sample].relevant, m), duration=duration, segments=segments)
            for m in ("visual", "audio")
        }
        for sample, duration in durations.items()
    }


def agreements(
    scores: Scores, matters: Matters, known: Mapping[str, Known], clips: Mapping[str, str]
) -> dict[str, dict[str, Agreement]]:
    """By modality and type of question, "" for all of them.

    Args:
        scores: of an explanation.
        matters: of the same samples or fewer.
        known: their types.
        clips: the ids of their clips.
    """
    types = sorted({known[sample].type for sample in matters} - {""})
    found: dict[str, dict[str, Agreement]] = {}
    for modality in dict.fromkeys(m for by_modality in scores.values() for m in by_modality):
        for kind in ["", *types]:
            members = [sample for sample in matters if kind in ("", known[sample].type)]
            result = agreement(
                [scores[sample][modality] for sample in members],
                [matters[sample][modality] for sample in members],
                [clips[sample] for sample in members],
            )
            if result is not None:
                found.setdefault(str(modality), {})[kind] = result
    return found


def groups(samples: Sequence[Sample], matters: Matters) -> dict[str, list[Sample]]:
    """All samples; and those with segments that matter and others, in sight or in sound, if there are any."""
    timed = [s for s in samples if any(tells_apart(found) for found in matters.get(s.id, {}).values())]
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
