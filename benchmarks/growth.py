#!/usr/bin/env python3
"""How the cost of a training step grows with segments, tokens, stages and the adapters' width.

    python benchmarks/growth.py [--rounds 5] [--picture docs/growth.png] [--json FILE]

One thing changes at a time, from 8 segments, 24 tokens a frame, 4 stages and width 64. Encoders, clips and times are
those of train_step.py (float32, processor time); LSTTA at all stages and the frozen forward pass take turns. The table
has medians with the first and third quartile; the picture has them as points with bars.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from statistics import quantiles
from typing import Any

import torch
from matplotlib.figure import Figure
from tqdm import tqdm
from ways import LSTTA, SMALL, Size, Way, seconds_of

from lstta_tasks.cli.options import keep_freed_memory

FRAMES = {6: (28, 42), 24: (56, 84), 54: (84, 126), 96: (112, 168)}
"""Pixels by tokens."""
AXES: dict[str, dict[int, tuple[Size, int]]] = {
    "segments": {n: (replace(SMALL, segments=n), 64) for n in (2, 4, 8, 16)},
    "tokens a frame": {n: (replace(SMALL, frame=frame), 64) for n, frame in FRAMES.items()},
    "stages": {n: (replace(SMALL, stages=n), 64) for n in (1, 2, 3, 4)},
    "adapters' width": {n: (SMALL, n) for n in (16, 32, 64, 128)},
}
Curve = dict[str, dict[int, tuple[float, float, float]]]
"""Quartiles of milliseconds, by way and size."""


def curve(points: dict[int, tuple[Size, int]], rounds: int) -> Curve:
    """Both ways at each size, in turns; one round before the first is not counted."""
    common: dict[str, Any] = {"settings": "float32", "device": torch.device("cpu")}
    ways: dict[tuple[str, int], Way] = {}
    for n, (size, width) in points.items():
        ways["LSTTA, all stages", n] = Way(size=size, method={**LSTTA, "width": width}, **common)
        ways["frozen forward", n] = Way(size=size, method=None, **common)
    taken: dict[tuple[str, int], list[float]] = {key: [] for key in ways}
    for turn in range(rounds + 1):
        for key, way in ways.items():
            seconds = seconds_of(way.step, torch.device("cpu"))
            if turn:
                taken[key].append(1000 * seconds)
    found: Curve = {}
    for (name, n), values in taken.items():
        first, middle, third = quantiles(values, n=4)
        found.setdefault(name, {})[n] = (first, middle, third)
    return found


def draw(curves: dict[str, Curve], path: Path) -> None:
    figure = Figure(figsize=(11, 2.9), layout="constrained")
    for place, (axis, found) in zip(figure.subplots(1, len(curves), sharey=True), curves.items(), strict=True):
        for name, points in found.items():
            sizes = list(points)
            first, middle, third = zip(*points.values(), strict=True)
            below = [m - f for m, f in zip(middle, first, strict=True)]
            above = [t - m for m, t in zip(middle, third, strict=True)]
            place.errorbar(sizes, middle, yerr=(below, above), marker="o", markersize=3, capsize=2, label=name)
        place.set_xlabel(axis)
        place.set_xticks(sizes)
        place.grid(alpha=0.3)
    top = max(third for found in curves.values() for points in found.values() for _, _, third in points.values())
    figure.axes[0].set_ylim(0, 1.05 * top)
    figure.axes[0].set_ylabel("ms a step")
    figure.axes[0].legend(fontsize="small")
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="steps of each way and size (default: 5)")
    parser.add_argument("--picture", type=Path, metavar="PNG")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    keep_freed_memory()
    curves = {axis: curve(points, args.rounds) for axis, points in tqdm(AXES.items(), disable=None)}
    for axis, found in curves.items():
        print(f"\n| {axis} | " + " | ".join(map(str, AXES[axis])) + " |\n|---|" + "---:|" * len(AXES[axis]))
        for name, points in found.items():
            print(
                f"| {name}, ms | " + " | ".join(f"{m:,.0f} ({f:,.0f}–{t:,.0f})" for f, m, t in points.values()) + " |"
            )
    if args.picture is not None:
        draw(curves, args.picture)
    if args.json is not None:
        args.json.write_text(json.dumps(curves, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
