#!/usr/bin/env python3
"""What a training step costs, with LSTTA and with what it is compared with.

    python benchmarks/train_step.py [--rounds 20] [--compile [MODE]] [--json FILE] [--markdown]
    python benchmarks/train_step.py --base --device cuda

All ways take turns, step by step, in one process, so that a slow minute of the machine is everybody's. Weights are
random, and nothing is downloaded: three encoders of width 384 (DINOv2-S, Whisper tiny, MiniLM) on 4 clips of 8 segments
by default; with --base ViT-B/16, AST on 10 s and RoBERTa on 24 tokens, 16 clips of 8 frames.

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
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

import torch
import torch.nn.functional as F
from random_encoders import base_encoders, small_encoders
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from tqdm import tqdm

from lstta_core.compiling import compile_parts
from lstta_core.fast_linear import fast_linear
from lstta_core.lockstep import TrimodalModel, TrimodalOutput
from lstta_core.methods import create_method
from lstta_core.profiling import measure
from lstta_core.readout import Readout
from lstta_core.testing.inputs import synthetic_inputs
from lstta_tasks.cli.allocator import keep_freed_memory

SETTINGS = ("float32", "bfloat16", "autocast")
ANSWERS = 42
LSTTA: dict[str, Any] = {"name": "lstta", "width": 64}


@dataclass(frozen=True)
class Size:
    """What is measured: ``last`` stages of ``stages`` are the last third of the blocks, or next to it."""

    base: bool
    clips: int
    words: int
    stages: int
    last: int
    segments: int = 8
    frame: tuple[int, int] = (56, 84)


SMALL = Size(base=False, clips=4, words=16, stages=4, last=1)
BASE = Size(base=True, clips=16, words=24, stages=12, last=4)
METHODS: dict[str, dict[str, Any]] = {
    "bottleneck": {"name": "bottleneck", "width": 64},
    "LoRA, r = 16 on q and v": {"name": "lora", "r": 16},
    "full fine-tuning": {"name": "full"},
}


@dataclass(frozen=True)
class Row:
    """One way, measured. Seconds are quartiles of a step; ratios are of medians."""

    way: str
    settings: str
    trainable: int
    seconds: tuple[float, float, float]
    bytes: int
    to_frozen: float
    to_full: float


class Way:
    """A model and how one step of it is taken.

    Args:
        size: of the encoders and the batch.
        settings: one of ``SETTINGS``.
        method: its name and options; None for the frozen forward pass.
        adapted: how many stages; None for all.
        cached: whether the prefix is at hand.
        compiled: the mode of torch.compile; None for none.
        device: where.
    """

    def __init__(
        self,
        *,
        size: Size,
        settings: str,
        method: dict[str, Any] | None,
        adapted: int | None = None,
        cached: bool = False,
        compiled: str | None = None,
        device: torch.device,
    ) -> None:
        torch.manual_seed(0)
        self.settings, self.device, self.compiled = settings, device, compiled
        encoders = base_encoders() if size.base else small_encoders(frame=size.frame, seconds=size.segments / 2)
        dtype = torch.bfloat16 if settings == "bfloat16" else None
        self.model = TrimodalModel(encoders, stages=size.stages, adapted=adapted, frozen_dtype=dtype)
        seconds = 10.0 / size.segments if size.base else 0.5
        self.inputs = {
            m: {
                key: value.to(device)
                for key, value in synthetic_inputs(
                    encoder.spec,
                    batch=size.clips,
                    segments=size.segments,
                    ragged=False,
                    sound_seconds=seconds,
                    text_length=size.words,
                ).items()
            }
            for m, encoder in self.model.by_modality().items()
        }
        self.model.to(device)
        if method is not None:
            self.model.add_adapter("default", create_method(model=self.model, **method).method)
        if compiled is not None:
            compile_parts(self.model, mode=compiled)
        self.head = nn.Sequential(
            Readout(widths={m: encoder.widths[-1] for m, encoder in encoders.items()}), nn.Linear(128, ANSWERS)
        ).to(device)
        self.present = {m: values["present"] for m, values in self.inputs.items()}
        self.target = torch.arange(size.clips, device=device) % ANSWERS
        self.trains = method is not None
        parameters = [*self.model.trainable_parameters(), *self.head.parameters()] if self.trains else []
        self.trainable = sum(parameter.numel() for parameter in self.model.trainable_parameters())
        self.optimizer = torch.optim.AdamW(parameters, lr=1e-4, fused=True) if parameters else None
        self.states = None
        if cached:
            with torch.no_grad(), self.context():
                self.states = self.model.prefix(self.inputs)

    def context(self) -> AbstractContextManager[Any]:
        """What the settings put around the forward pass."""
        stack = ExitStack()
        plain = self.settings == "float32" and self.device.type == "cpu" and self.compiled is None
        stack.enter_context(fast_linear(enabled=plain))
        stack.enter_context(torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.settings == "autocast"))
        return stack

    def step(self) -> None:
        if self.compiled is not None and self.device.type == "cuda":
            torch.compiler.cudagraph_mark_step_begin()
        if self.optimizer is None:
            with torch.no_grad(), self.context():
                self._loss()
            return
        self.optimizer.zero_grad(set_to_none=True)
        with self.context():
            loss = self._loss()
        loss.backward()
        self.optimizer.step()

    def resident(self) -> int:
        """Bytes that are there between two steps."""
        kept: list[Tensor] = [*self.model.parameters(), *self.model.buffers(), *self.head.parameters()]
        if self.optimizer is not None:
            kept += [value for state in self.optimizer.state.values() for value in state.values()]
        if self.states is None:
            kept += [tensor for values in self.inputs.values() for tensor in values.values()]
        else:
            kept += [state.tokens for state in self.states.values()]
        return sum(tensor.nbytes for tensor in kept)

    def _loss(self) -> Tensor:
        output: TrimodalOutput
        if self.states is None:
            output = self.model(self.inputs)
        else:
            output = self.model.suffix(self.states, self.present)
        return F.cross_entropy(self.head(output).float(), self.target)


def ways(size: Size, compiled: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of the table and what :class:`Way` needs for them."""
    last = f"last {size.last} of {size.stages} stages"
    yield "frozen forward", {"method": None}
    yield "LSTTA, all stages", {"method": LSTTA}
    if compiled is not None:
        yield "LSTTA, all stages, compiled", {"method": LSTTA, "compiled": compiled}
    yield f"LSTTA, {last}", {"method": LSTTA, "adapted": size.last}
    yield f"LSTTA, {last}, cached prefix", {"method": LSTTA, "adapted": size.last, "cached": True}
    if not size.base:
        half = size.stages // 2
        yield (
            f"LSTTA, last {half} of {size.stages} stages, cached prefix",
            {"method": LSTTA, "adapted": half, "cached": True},
        )
    for name, method in METHODS.items():
        yield name, {"method": method}


def seconds_of(step: Callable[[], None], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        start = time.perf_counter()
        step()
        torch.cuda.synchronize(device)
        return time.perf_counter() - start
    start = time.process_time()
    step()
    return time.process_time() - start


def run(size: Size, settings: list[str], rounds: int, device: torch.device, compiled: str | None = None) -> list[Row]:
    """Measure every way under every setting, in turns; two rounds before the first are not counted."""
    built = {
        (name, kind): Way(size=size, settings=kind, device=device, **options)
        for kind in settings
        for name, options in ways(size, compiled)
    }
    times: dict[tuple[str, str], list[float]] = {key: [] for key in built}
    for turn in tqdm(range(rounds + 2), unit="round", disable=None):
        for key, way in built.items():
            taken = seconds_of(way.step, device)
            if turn > 1:
                times[key].append(taken)
    memory = {
        key: way.resident() + measure(way.step, device=device, repeats=0, warmup=0).peak_bytes
        for key, way in built.items()
    }
    rows = []
    for (name, kind), taken in times.items():
        first, middle, third = quantiles(taken, n=4)
        frozen, full = (quantiles(times[other, kind], n=4)[1] for other in ("frozen forward", "full fine-tuning"))
        rows.append(
            Row(
                way=name,
                settings=kind,
                trainable=built[name, kind].trainable,
                seconds=(first, middle, third),
                bytes=memory[name, kind],
                to_frozen=middle / frozen,
                to_full=middle / full,
            )
        )
    return rows


COLUMNS = ("", "trains", "step, ms", "quartiles", "× frozen", "× full", "memory, MB", "× full's")


def cells(rows: list[Row]) -> Iterator[tuple[str, ...]]:
    full = {row.settings: row.bytes for row in rows if row.way == "full fine-tuning"}
    for row in rows:
        low, middle, high = (1000 * seconds for seconds in row.seconds)
        yield (
            row.way,
            f"{row.trainable:,}",
            f"{middle:,.0f}",
            f"{low:,.0f}–{high:,.0f}",
            f"{row.to_frozen:.2f}",
            f"{row.to_full:.2f}",
            f"{row.bytes / 1e6:,.0f}",
            f"{row.bytes / full[row.settings]:.2f}",
        )


def show(rows: list[Row], *, markdown: bool) -> None:
    for settings in dict.fromkeys(row.settings for row in rows):
        lines = list(cells([row for row in rows if row.settings == settings]))
        if markdown:
            print(f"\n{settings}:\n")
            for line in (COLUMNS, ("---", *["---:"] * (len(COLUMNS) - 1)), *lines):
                print("| " + " | ".join(line) + " |")
            continue
        table = Table(title=settings)
        for place, column in enumerate(COLUMNS):
            table.add_column(column, justify="right" if place else "left", no_wrap=True)
        for line in lines:
            table.add_row(*line)
        Console(width=max(Console().width, 120)).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", action="store_true", help="encoders of base size; for a GPU")
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=["float32", "bfloat16", "autocast"])
    parser.add_argument("--rounds", type=int, default=20, help="steps of each way (default: 20)")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument(
        "--compile", nargs="?", const="default", metavar="MODE", help="one row more; MODE as torch.compile has it"
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--markdown", action="store_true")
    args = parser.parse_args()
    if args.device == "cpu":
        keep_freed_memory()
    rows = run(BASE if args.base else SMALL, args.settings, args.rounds, torch.device(args.device), args.compile)
    show(rows, markdown=args.markdown)
    if args.json is not None:
        about = {"torch": torch.__version__, "threads": torch.get_num_threads(), "rounds": args.rounds}
        args.json.write_text(json.dumps({**about, "rows": [asdict(row) for row in rows]}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
