"""What was measured of importances, as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lstta_core.interfaces import Modality
from lstta_core.whole_files import write_whole
from lstta_tasks.explain.palette import COLOURS, NAMES
from lstta_tasks.importances.agreement import Mean
from lstta_tasks.importances.measured import Curve, Measured
from lstta_tasks.importances.rankings import ANOTHER, ATTENTION, CHANCE, HIGHEST, IMPORTANCE, LOWEST, RANDOM

EXPLANATIONS = (IMPORTANCE, ATTENTION)
LOOKS: dict[str, dict[str, Any]] = {
    LOWEST: {"color": "#009E73", "marker": "o"},
    HIGHEST: {"color": "#D55E00", "marker": "v"},
    ANOTHER: {"color": "#56B4E9", "linestyle": "-."},
    RANDOM: {"color": "0.4", "linestyle": "--"},
}


def write_picture(measured: Measured, title: str, path: Path) -> None:
    """A PNG: how numbers agree with known seconds, where they are known, and how the score falls, by explanation."""
    agrees = bool(measured.agreement[IMPORTANCE])
    group = list(measured.curves)[-1]
    figure = Figure(figsize=(4 * (len(EXPLANATIONS) + agrees), 3.8), dpi=110, layout="constrained")
    panels: list[Axes] = list(figure.subplots(1, len(EXPLANATIONS) + agrees, squeeze=False)[0])
    if agrees:
        _bars(panels.pop(0), measured)
    for panel, explanation in zip(panels, EXPLANATIONS, strict=True):
        _lines(panel, measured.removed, measured.curves[group], explanation)
        panel.set_ylabel(measured.metric + (", lower is better" if measured.lower_is_better else ""))
        panel.sharey(panels[0])
    figure.suptitle(f"{title}; on the right {measured.samples[group]:,} {group}", fontsize=10, parse_math=False)
    write_whole(path, lambda draft: figure.savefig(draft, format="png"))


def _bars(panel: Axes, measured: Measured) -> None:
    """Relevant segments beside the rest, of each explanation and modality."""
    bars = [
        (f"{explanation},\n{NAMES[Modality(modality)]}", COLOURS[Modality(modality)], by_group[""])
        for explanation, by_modality in measured.agreement.items()
        for modality, by_group in by_modality.items()
    ]
    for place, (_, colour, agreement) in enumerate(bars):
        for shift, mean, strength in ((-0.2, agreement.relevant, 1.0), (0.2, agreement.rest, 0.35)):
            panel.bar(place + shift, mean.value, 0.38, color=colour, alpha=strength, yerr=_error(mean))
        panel.annotate(
            f"AUROC\n{agreement.auroc.value:.2f}",
            (place, max(_top(agreement.relevant), _top(agreement.rest))),
            ha="center",
            va="bottom",
            fontsize=8,
        )
    panel.axhline(1, color="0.6", linewidth=0.8, zorder=0)
    panel.margins(y=0.15)
    panel.set_xticks(range(len(bars)), [label for label, _, _ in bars], fontsize=8)
    panel.set_ylabel("times the clip's mean")
    panel.set_title("relevant segments (strong) and the rest (pale)", fontsize=9)


def _error(mean: Mean) -> list[list[float]] | None:
    return None if mean.low is None or mean.high is None else [[mean.value - mean.low], [mean.high - mean.value]]


def _top(mean: Mean) -> float:
    return mean.value if mean.high is None else mean.high


def _lines(panel: Axes, removed: Sequence[int], curves: Sequence[Curve], explanation: str) -> None:
    for curve in curves:
        if curve.by in (explanation, CHANCE):
            panel.plot(removed, curve.mean, label=curve.way, markersize=4, **LOOKS[curve.way])
            low, high = np.min(curve.values, axis=0), np.max(curve.values, axis=0)
            panel.fill_between(removed, low, high, color=LOOKS[curve.way]["color"], alpha=0.2, linewidth=0)
    panel.set_title(f"removed by {explanation}", fontsize=9)
    panel.set_xlabel("segments removed, of sight and of sound")
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.legend(fontsize=8)
