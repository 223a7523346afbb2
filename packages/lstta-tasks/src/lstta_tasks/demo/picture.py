"""The picture that says why: one clip, and for each question the importance that every second has for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lstta_core.interfaces import Modality
from lstta_tasks.explain import panels
from lstta_tasks.explain.excerpt import Media
from lstta_tasks.explain.explanation import Explanation
from lstta_tasks.explain.palette import COLOURS
from lstta_tasks.importances.relevance_file import RelevantSeconds

WIDTH, LEFT, RIGHT, TOP, BOTTOM, BETWEEN, HEADING = 10.0, 0.95, 0.7, 0.25, 0.75, 0.12, 0.3
"""Of the picture and its margins, in inches."""
NOTE = (
    "Lines: importance of each second for the question, over the clip's mean; the frozen model weighs all seconds "
    "alike.\nShaded: the seconds of sight (upper half) and of sound (lower half) that the answer rests on; no model "
    "is told them."
)


@dataclass(frozen=True)
class Asked:
    """A question of the picture.

    Attributes:
        explanation: of the model with adapters.
        truth: the right answer.
        frozen: what the frozen model with its head answers.
        relevant: the seconds that the answer rests on.
    """

    explanation: Explanation
    truth: str
    frozen: str
    relevant: RelevantSeconds


def save_picture(media: Media, asked: Sequence[Asked], path: Path) -> None:
    """Write a PNG file: frames, sound, then a panel for each question about this clip."""
    clip = asked[0].explanation
    heights = [panels.strip_height(media, WIDTH - LEFT - RIGHT), 1.0] + [1.0 + HEADING] * len(asked)
    tall = TOP + sum(heights) + BETWEEN * (len(heights) - 1) + BOTTOM
    figure, below = Figure(figsize=(WIDTH, tall), dpi=110), tall - TOP
    for row, height in enumerate(heights):
        below -= height
        inner = height if row < 2 else height - HEADING
        panel = figure.add_axes((LEFT / WIDTH, below / tall, 1 - (LEFT + RIGHT) / WIDTH, inner / tall))
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(labelsize=8)
        panel.set_xticks([])
        if row == 0:
            panels.frames(panel, _without_outline(clip), media)
        elif row == 1:
            panels.sound(panel, _without_outline(clip), media)
        else:
            _question(panel, asked[row - 2], media)
        panel.set_xlim(0, clip.duration)
        below -= BETWEEN
    panel.set_xticks(range(round(clip.duration) + 1))
    panel.set_xlabel("time in s", fontsize=9, labelpad=1)
    figure.text(LEFT / WIDTH, 0.06 / tall, NOTE, fontsize=7, color="0.3", va="bottom")
    FigureCanvasAgg(figure).print_png(path)


def _question(panel: Axes, asked: Asked, media: Media) -> None:
    panels.importances(panel, asked.explanation, media)
    halves: Mapping[Modality, tuple[float, float]] = {Modality.VISUAL: (0.5, 1.0), Modality.AUDIO: (0.0, 0.5)}
    for modality, (low, high) in halves.items():
        for start, end in asked.relevant.spans.get(modality, ()):
            panel.axvspan(start, end, low, high, color=COLOURS[modality], alpha=0.15, linewidth=0, zorder=-1)
    answers = {"LSTTA": asked.explanation.answer.text, "frozen + head": asked.frozen}
    judged = ", ".join(f"{model}: {_judged(answer, asked.truth)}" for model, answer in answers.items())
    heading = f"{asked.explanation.text}   {judged}"
    panel.set_title(heading, fontsize=9, loc="left", pad=3, parse_math=False)


def _judged(answer: str, truth: str) -> str:
    return f"{answer.replace('_', ' ')} ({'right' if answer == truth else 'wrong'})"


def _without_outline(explanation: Explanation) -> Explanation:
    """Frames and sound belong to all questions: no second is outlined there."""
    return replace(explanation, attention={})
