#!/usr/bin/env python3
"""What a training step costs, with LSTTA and with what it is compared with.

    python benchmarks/train_step.py [--rounds 20] [--compile [MODE]] [--beside CHECKOUT] [--json FILE] [--markdown]

All ways of a setting take turns, step by step, in one process, so that a slow minute of the machine is everybody's.
Weights are random, and nothing is downloaded: three encoders of width 384 (DINOv2-S, Whisper tiny, MiniLM) on 4 clips
of 8 segments. gpu.py measures encoders of base size on a GPU.

settings   float32: on a CPU through oneDNN. bfloat16: frozen weights in bfloat16, what trains in float32 under
           autocast (full fine-tuning: all encoders in bfloat16). autocast: weights in float32, all under autocast, as
           commonly run. The optimizer is torch's fused AdamW throughout.
time       median of a step (zero gradients, forward, backward, update) with first and third quartile: processor time on
           a CPU, so that neighbours play a smaller part; the clock on a GPU.
memory     parameters, buffers, optimizer state and batch, and the most that one step held on top, as torch's allocator
           saw it (lstta_core.profiling.measure).
compiled   with --compile: blocks and adapters through torch.compile, the time of compiling left out. On a CPU without
           oneDNN: a compiled graph has torch's own linear layers.
cached     the encoders' states at the first adapted stage are at hand, in memory: reading them is not in the time.
before     with --beside: the same step of another checkout of this repository, which takes turns too, in a process of
           its own with its own packages (its .venv).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

import torch
from beside import Beside
from rich.console import Console
from rich.table import Table
from tqdm import tqdm
from ways import LSTTA, METHODS, SETTINGS, SMALL, Size, Way, seconds_of

from lstta_core.profiling import measure
from lstta_tasks.cli.options import keep_freed_memory


@dataclass(frozen=True)
class Row:
    """One way, measured. Seconds are quartiles of a step, here and in another checkout; ratios are of medians."""

    way: str
    settings: str
    trainable: int
    seconds: tuple[float, float, float]
    bytes: int
    to_frozen: float
    to_full: float
    before: tuple[float, float, float] | None = None


def ways(size: Size, compiled: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of the table and what :class:`Way` needs for them."""
    last = f"last {size.last} of {size.stages} stages"
    yield "frozen forward", {"method": None}
    yield "LSTTA, all stages", {"method": LSTTA}
    if compiled is not None:
        yield "LSTTA, all stages, compiled", {"method": LSTTA, "compiled": {"mode": compiled}}
    yield f"LSTTA, {last}", {"method": LSTTA, "adapted": size.last}
    yield f"LSTTA, {last}, cached prefix", {"method": LSTTA, "adapted": size.last, "cached": True}
    half = size.stages // 2
    yield (
        f"LSTTA, last {half} of {size.stages} stages, cached prefix",
        {"method": LSTTA, "adapted": half, "cached": True},
    )
    for name, method in METHODS.items():
        yield name, {"method": method}


def run(
    size: Size,
    kind: str,
    rounds: int,
    device: torch.device,
    compiled: str | None = None,
    beside: Beside | None = None,
) -> list[Row]:
    """Measure every way under one setting, in turns; two rounds before the first are not counted."""
    built = {name: Way(size=size, settings=kind, device=device, **options) for name, options in ways(size, compiled)}
    times: dict[str, list[float]] = {name: [] for name in built}
    before: dict[str, list[float]] = {}
    if beside is not None:
        before = {name: [] for name in built if name in beside.names}
        for name in before:
            beside.build(name, kind)
    for turn in tqdm(range(rounds + 2), desc=kind, unit="round", disable=None):
        for name, way in built.items():
            taken = seconds_of(way.step, device)
            if turn > 1:
                times[name].append(taken)
            if beside is not None and name in before:
                taken = beside.step(name, kind)
                if turn > 1:
                    before[name].append(taken)
    memory = {
        name: way.resident() + measure(way.step, device=device, repeats=0, warmup=0).peak_bytes
        for name, way in built.items()
    }
    rows = []
    for name, taken in times.items():
        first, middle, third = _quartiles(taken)
        frozen, full = (quantiles(times[other], n=4)[1] for other in ("frozen forward", "full fine-tuning"))
        rows.append(
            Row(
                way=name,
                settings=kind,
                trainable=built[name].trainable,
                seconds=(first, middle, third),
                bytes=memory[name],
                to_frozen=middle / frozen,
                to_full=middle / full,
                before=_quartiles(before[name]) if name in before else None,
            )
        )
    return rows


def _quartiles(seconds: list[float]) -> tuple[float, float, float]:
    first, middle, third = quantiles(seconds, n=4)
    return first, middle, third


COLUMNS = ("", "trains", "step, ms", "quartiles", "× frozen", "× full", "memory, MB", "× full's")
BEFORE = ("before, ms", "quartiles", "× before")


def cells(rows: list[Row]) -> Iterator[tuple[str, ...]]:
    """The table's first line and then the others; with columns of the other checkout where there is one."""
    full = {row.settings: row.bytes for row in rows if row.way == "full fine-tuning"}
    compared = any(row.before for row in rows)
    yield (*COLUMNS, *(BEFORE if compared else ()))
    for row in rows:
        low, middle, high = (1000 * seconds for seconds in row.seconds)
        others: tuple[str, ...] = ("", "", "") if compared else ()
        if row.before is not None:
            first, median, third = (1000 * seconds for seconds in row.before)
            others = (f"{median:,.0f}", f"{first:,.0f}–{third:,.0f}", f"{middle / median:.2f}")
        yield (
            row.way,
            f"{row.trainable:,}",
            f"{middle:,.0f}",
            f"{low:,.0f}–{high:,.0f}",
            f"{row.to_frozen:.2f}",
            f"{row.to_full:.2f}",
            f"{row.bytes / 1e6:,.0f}",
            f"{row.bytes / full[row.settings]:.2f}",
            *others,
        )


def show(rows: list[Row], *, markdown: bool) -> None:
    for settings in dict.fromkeys(row.settings for row in rows):
        columns, *lines = cells([row for row in rows if row.settings == settings])
        if markdown:
            print(f"\n{settings}:\n")
            for line in (columns, ("---", *["---:"] * (len(columns) - 1)), *lines):
                print("| " + " | ".join(line) + " |")
            continue
        table = Table(title=settings)
        for place, column in enumerate(columns):
            table.add_column(column, justify="right" if place else "left", no_wrap=True)
        for line in lines:
            table.add_row(*line)
        Console(width=max(Console().width, 150)).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=["float32", "bfloat16", "autocast"])
    parser.add_argument("--rounds", type=int, default=20, help="steps of each way (default: 20)")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument(
        "--compile", nargs="?", const="default", metavar="MODE", help="one row more; MODE as torch.compile has it"
    )
    parser.add_argument("--beside", type=Path, metavar="CHECKOUT", help="another checkout that takes turns, on a CPU")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--markdown", action="store_true")
    args = parser.parse_args()
    if args.device == "cpu":
        keep_freed_memory()
    if args.beside is not None and args.device != "cpu":
        parser.error("--beside: the other checkout is measured on a CPU; leave --device out")
    other = None if args.beside is None else Beside(args.beside, torch.get_num_threads())
    device = torch.device(args.device)
    rows = [row for kind in args.settings for row in run(SMALL, kind, args.rounds, device, args.compile, other)]
    show(rows, markdown=args.markdown)
    if args.json is not None:
        about = {"torch": torch.__version__, "threads": torch.get_num_threads(), "rounds": args.rounds}
        args.json.write_text(json.dumps({**about, "rows": [asdict(row) for row in rows]}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
