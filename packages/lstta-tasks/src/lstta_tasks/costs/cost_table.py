"""Profiles side by side, for the terminal, as Markdown and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from lstta_core.profiling import Macs, Measurement, ParameterCount, Part
from lstta_tasks.costs.task_profile import TaskProfile
from lstta_tasks.whole_table import print_whole

MEMORY = (
    "peak memory: parameters, buffers, optimizer state and batch, and the most that tensors made in one call held at a "
    "time, as torch's allocator saw it"
)


class Row(NamedTuple):
    """A line of the table: what it says, in which section, and a cell for each profile."""

    section: str
    label: str
    cells: tuple[str, ...]


def print_costs(profiles: Sequence[TaskProfile], *, markdown: bool = False) -> None:
    """The table, then what it rests on."""
    rows, notes = costs(profiles), _notes(profiles)
    if markdown:
        print("\n".join([*_markdown(rows, [profile.config for profile in profiles]), "", *(f"- {n}" for n in notes)]))
        return
    table = Table(box=SIMPLE_HEAD)
    table.add_column("")
    for profile in profiles:
        table.add_column(profile.config, justify="right")
    section = ""
    for row in rows:
        if row.section != section:
            section = row.section
            table.add_section()
            table.add_row(section, style="bold")
        table.add_row(f"  {row.label}", *row.cells)
    print_whole(table)
    console = Console()
    for note in notes:
        console.print(note, highlight=False)


def costs(profiles: Sequence[TaskProfile]) -> list[Row]:
    """Totals first in each section, then parts; adapters twice, by stage and by module."""
    return [
        *_section("parameters", profiles, _parameters),
        *_section("MACs of a sample, forward", profiles, lambda p: _macs(p, lambda macs: macs.forward)),
        *_section("MACs of a sample, training step", profiles, lambda p: _macs(p, lambda macs: macs.step)),
        *_section("FLOPs of a sample (2 × MACs)", profiles, _flops),
        *_section("measured", profiles, _measured),
    ]


def as_json(profile: TaskProfile) -> dict[str, Any]:
    """Everything, with parts as ``"adapters/stage 1/down"``."""
    counts = {"/".join(part): {**asdict(c), "total": c.total} for part, c in profile.parameters.items()}
    macs = {"/".join(part): {**asdict(m), "step": m.step} for part, m in profile.macs.parts.items()}
    every, total = profile.all_parameters, profile.macs.total
    return {
        "config": profile.config,
        "inputs": dict(profile.inputs),
        "device": profile.device,
        "parameters": {**asdict(every), "total": every.total, "parts": counts},
        "adapter_folder_bytes": profile.folder_bytes,
        "macs_a_sample": {**asdict(total), "step": total.step, "parts": macs},
        "flops_a_sample": {"forward": 2 * total.forward, "backward": 2 * total.backward, "step": 2 * total.step},
        "uncounted_operators": dict(profile.macs.uncounted),
        "resident_bytes": profile.resident_bytes,
        "forward": asdict(profile.forward),
        "step": asdict(profile.step),
    }


def _section(
    name: str, profiles: Sequence[TaskProfile], lines: Callable[[TaskProfile], dict[str, str]]
) -> Iterable[Row]:
    columns = [lines(profile) for profile in profiles]
    labels = dict.fromkeys(label for column in columns for label in column)
    return [Row(name, label, tuple(column.get(label, "–") for column in columns)) for label in labels]


def _parameters(profile: TaskProfile) -> dict[str, str]:
    every = profile.all_parameters
    grouped = _grouped(profile.parameters, ParameterCount())
    return {
        "total": f"{every.total:,}",
        "frozen": f"{every.frozen:,}",
        "trainable": f"{every.trainable:,}",
        "share trained": f"{every.trainable / every.total:.2%}",
        **{label: _trained(count) for label, count in grouped.items()},
        "adapter folder": f"{profile.folder_bytes:,} bytes",
    }


def _trained(count: ParameterCount) -> str:
    if count.trainable and count.frozen:
        return f"{count.trainable:,} + {count.frozen:,} frozen"
    return f"{count.trainable:,}" if count.trainable else f"{count.frozen:,} frozen"


def _macs(profile: TaskProfile, which: Callable[[Macs], int]) -> dict[str, str]:
    grouped = _grouped(profile.macs.parts, Macs())
    return {"total": _millions(which(profile.macs.total)), **{k: _millions(which(v)) for k, v in grouped.items()}}


def _flops(profile: TaskProfile) -> dict[str, str]:
    total = profile.macs.total
    return {"forward": _millions(2 * total.forward), "training step": _millions(2 * total.step)}


def _measured(profile: TaskProfile) -> dict[str, str]:
    return {
        "device": profile.device,
        "batch": f"{profile.inputs['batch']}",
        "forward": _times(profile.forward),
        "training step": _times(profile.step),
        "peak memory, forward": _mebibytes(profile.resident_bytes + profile.forward.peak_bytes),
        "peak memory, training step": _mebibytes(profile.resident_bytes + profile.step.peak_bytes),
    }


def _grouped(parts: Any, zero: Any) -> dict[str, Any]:
    """Parts added up for people: adapters by stage, then by module."""
    groups: dict[str, Any] = {}
    for labels in (_by_stage, _by_module):
        for part, value in parts.items():
            if label := labels(part):
                groups[label] = groups.get(label, zero) + value
    return groups


def _by_stage(part: Part) -> str:
    return f"{part[0]}, {part[1]}" if len(part) > 1 else part[0]


def _by_module(part: Part) -> str | None:
    return f"{part[0]}, all stages: {part[2]}" if len(part) > 1 else None


def _millions(number: int) -> str:
    return f"{number / 1e6:,.2f} M"


def _times(measured: Measurement) -> str:
    low, high = min(measured.seconds), max(measured.seconds)
    return f"{1000 * measured.median:,.1f} ms ({1000 * low:,.1f}–{1000 * high:,.1f})"


def _mebibytes(number: int) -> str:
    return f"{number / 2**20:,.1f} MiB"


def _notes(profiles: Sequence[TaskProfile]) -> list[str]:
    notes = []
    for profile in profiles:
        inputs = ", ".join(f"{name} {value:g}" for name, value in profile.inputs.items())
        uncounted = ", ".join(f"{name} ×{calls}" for name, calls in profile.macs.uncounted.items())
        notes += [f"{profile.config}: {inputs}", f"{profile.config}, in no MAC count: {uncounted}"]
    repeats = len(profiles[0].step.seconds)
    return [*notes, f"times: median of {repeats} after one unmeasured (fastest–slowest)", MEMORY]


def _markdown(rows: Sequence[Row], names: Sequence[str]) -> list[str]:
    lines = [f"| | {' | '.join(names)} |", f"|---|{'---:|' * len(names)}"]
    section = ""
    for row in rows:
        if row.section != section:
            section = row.section
            lines.append(f"| **{section}** |{' |' * len(names)}")
        lines.append(f"| {row.label} | {' | '.join(row.cells)} |")
    return lines
