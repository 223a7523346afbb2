"""Pictures of what a model does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

COLOURS = {"visual": "tab:blue", "audio": "tab:orange"}


def importance_picture(rows: Sequence[tuple[str, Mapping[str, Sequence[float]]]]) -> NDArray[np.uint8]:
    """The importance curves of some samples, one panel each.

    Args:
        rows: the text of a sample, and its importances (T,) by modality.

    Returns:
        (H, W, 3), uint8, RGB.
    """
    figure = Figure(figsize=(8, 1.3 * len(rows) + 0.4), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    panels = figure.subplots(len(rows), 1, sharex=True, squeeze=False)[:, 0]
    for panel, (text, importances) in zip(panels, rows, strict=True):
        for modality, values in importances.items():
            panel.stairs(values, baseline=None, color=COLOURS[modality], label=modality)
        panel.axhline(1, color="0.8", linewidth=0.8, zorder=0)
        panel.set_ylim(0, 2)
        panel.set_title(text, fontsize=9, loc="left")
    panels[0].legend(loc="upper right", fontsize=8, ncols=2)
    panels[-1].set_xlabel("segment")
    figure.supylabel("importance", fontsize=9)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
