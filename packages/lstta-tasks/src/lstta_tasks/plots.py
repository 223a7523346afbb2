"""Pictures of what a model does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from numpy.typing import NDArray

COLOURS = {"visual": "tab:blue", "audio": "tab:orange"}
LONGEST = 100  # characters of a title


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
        panel.set_title(_title(text), fontsize=9, loc="left", parse_math=False)
    panels[0].legend(loc="upper right", fontsize=8, ncols=2)
    panels[-1].set_xlabel("segment")
    figure.supylabel("importance", fontsize=9)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _title(text: str) -> str:
    """One line of the text, with a box for each character that the font lacks, such as most emoji."""
    line = " ".join(text.split())
    shown = line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
    font = get_font(findfont(FontProperties()))
    return "".join(letter if font.get_char_index(ord(letter)) else "□" for letter in shown)
