"""What is known of one answer: the answer, and the curves over the clip's segments that go with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from lstta_core.interfaces import TIMED, Inputs, Modality
from lstta_tasks.answers.description import Answer
from lstta_tasks.data.clip import Clip, ClipSource
from lstta_tasks.data.features import parts_of
from lstta_tasks.finite import check_finite
from lstta_tasks.network import TaskNetwork
from lstta_tasks.task import Sample, Task, TimedText

Curve = NDArray[np.float64]
STANDS_OUT = 1.5


@dataclass(frozen=True)
class Explanation:
    """One clip, one answer, and where the model looked.

    Attributes:
        source: of the clip.
        text: that was asked or compared; None for none.
        timed: the subtitles that were read.
        answer: of the task.
        duration: of the clip, in seconds.
        importances: (T,) by modality, g of the last stage that has them, in (0, 2); NaN for segments that hold nothing.
            Empty where the method has none.
        attention: (T,) by modality, the share of each segment in what the readout reads. A modality that the clip
            lacks is in neither.
        holds: (T,) bool by modality, which segments hold anything; all, where nothing is said of a modality.
    """

    source: ClipSource
    text: str | None
    timed: tuple[TimedText, ...]
    answer: Answer
    duration: float
    importances: Mapping[Modality, Curve]
    attention: Mapping[Modality, Curve]
    holds: Mapping[Modality, NDArray[np.bool_]] = field(default_factory=dict)

    @property
    def relative_importances(self) -> dict[Modality, Curve]:
        """Importances over their mean in the clip: 1 is a segment as important as the clip's mean one.

        The scale of importances is free, since log g is a bias on a softmax: only their ratios within a clip matter.
        Where training has driven all of them to numbers that are 0 in float32, none is told from another: all are 1.
        """
        return {m: g / np.nanmean(g) if np.nanmean(g) else g + 1 for m, g in self.importances.items()}

    def most_attended(self, modality: Modality) -> tuple[float, float] | None:
        """The segment with most of the attention to a modality, (start, end) in seconds.

        None where none stands out, with ``STANDS_OUT`` times an even share of the segments that hold anything, or
        attention is not told.
        """
        if modality not in self.attention:
            return None
        shares = self.attention[modality]
        edges, most = self.edges(len(shares)), int(shares.argmax())
        if shares[most] * np.sum(self.holds.get(modality, np.full(len(shares), True))) < STANDS_OUT:
            return None
        return float(edges[most]), float(edges[most + 1])

    def edges(self, segments: int) -> Curve:
        """(T + 1,), where segments begin and end, in seconds from the clip's start."""
        return np.linspace(0, self.duration, segments + 1)


def explain_batch(
    network: TaskNetwork, task: Task, items: Sequence[tuple[Sample, Clip]], inputs: Inputs
) -> list[Explanation]:
    """One explanation a sample.

    Args:
        network: in eval mode.
        task: that it was made for.
        items: samples with their clips.
        inputs: what the network reads of them.

    Raises:
        NotFiniteError: an answer, or a curve where there is something to see or to hear, is NaN or infinite.
    """
    with torch.no_grad():
        output = network.explain(inputs)
        check_finite(output.output, f"{items[0][0].source.id}: what the model answers")
        answers = task.answer.describe(output.output)
    explanations = []
    for row, ((sample, clip), answer) in enumerate(zip(items, answers, strict=True)):
        sensed = _sensed(clip)
        curves = {"importances": output.importances, "attention": output.attention}
        for name, by_modality in curves.items():
            seen = [_row(values, row)[sensed[m]] for m, values in by_modality.items()]
            check_finite(seen, f"{sample.source.id}: the {name} of its segments")
        importances = {m: np.where(sensed[m], _row(g, row), np.nan) for m, g in output.importances.items()}
        attention = {m: _row(shares, row) for m, shares in output.attention.items()}
        explanations.append(
            Explanation(
                source=sample.source,
                text=sample.text,
                timed=sample.timed,
                answer=answer,
                duration=clip.duration,
                importances=_usable(importances, sensed),
                attention=_usable(attention, sensed),
                holds=sensed,
            )
        )
    return explanations


def _sensed(clip: Clip) -> dict[Modality, NDArray[np.bool_]]:
    """(T,), which segments hold pictures, and which sound, or features of them."""
    sensed = {Modality.VISUAL: np.full(len(clip.frames), clip.has_video), Modality.AUDIO: clip.sound_length > 0}
    for m, features in clip.features.items():
        sensed[m] = np.array([len(part) > 0 for part in parts_of(features, len(clip.sound_length), clip.duration)])
    return sensed


def _usable(curves: Mapping[Modality, Curve], sensed: Mapping[Modality, NDArray[np.bool_]]) -> dict[Modality, Curve]:
    """Those of modalities that the clip has."""
    return {m: curves[m] for m in TIMED if m in curves and sensed[m].any()}


def _row(values: torch.Tensor, row: int) -> Curve:
    return values[row].double().cpu().numpy()
