"""Ticks of time axes, and the ends of the importances' axis."""

from __future__ import annotations

import math

import numpy as np

from lstta_tasks.explain.explanation import Explanation

IN_SECONDS = 120.0
"""Clips of up to this length have their axis in seconds; longer ones as on a clock."""
CLOCK_STEPS = (15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


def ticks(duration: float, *, most: int = 10) -> list[float]:
    """Round times from 0 up to ``duration`` seconds, at most ``most`` steps apart."""
    wanted = duration / most
    if duration > IN_SECONDS:
        step: float = next((step for step in CLOCK_STEPS if step >= wanted), 7200 * math.ceil(wanted / 7200))
    else:
        decade = 10 ** math.floor(math.log10(wanted))
        step = next(round(factor * decade, 9) for factor in (1, 2, 5, 10) if factor * decade >= wanted * 0.999)
    return [round(place * step, 9) for place in range(math.floor(duration / step + 1e-9) + 1)]


def clock(seconds: float, duration: float) -> str:
    """A time on the axis of a clip: ``2.5``, or in longer clips ``2:03`` and ``1:02:03``."""
    if duration <= IN_SECONDS:
        return f"{seconds:.10g}"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def unit(duration: float) -> str:
    """Of what the axis says."""
    if duration <= IN_SECONDS:
        return "s"
    return "min:s" if duration < 3600 else "h:min:s"


def importance_span(explanation: Explanation) -> tuple[float, float]:
    """Where the axis of relative importances begins and ends: around 1, and not so near that noise fills it."""
    values = np.concatenate([curve[np.isfinite(curve)] for curve in explanation.relative_importances.values()])
    reach = max(0.2, 1.15 * float(np.abs(values - 1).max()))
    return max(0.0, 1 - reach), 1 + reach
