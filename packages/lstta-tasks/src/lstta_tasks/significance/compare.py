"""The whole comparison of two files of answers, and its table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lstta_tasks.escaped import escaped
from lstta_tasks.significance.answers_file import Pairs, read_pairs
from lstta_tasks.significance.measures import of_classes, of_events, of_labels, of_numbers, of_segments
from lstta_tasks.significance.statistics import Difference, calibration_error, mcnemar, paired_bootstrap


@dataclass(frozen=True)
class McNemar:
    """Samples that one model alone has right, and the exact p of that split."""

    only_one: int
    only_other: int
    both: int
    neither: int
    p: float


@dataclass(frozen=True)
class Comparison:
    """Two models on the same samples.

    Attributes:
        samples: how many.
        resamples: of the bootstrap.
        differences: of each measure.
        mcnemar: where answers are classes.
        calibration: the ECE of each, likewise; None where a file does not say how sure its model was.
    """

    samples: int
    resamples: int
    differences: tuple[Difference, ...]
    mcnemar: McNemar | None = None
    calibration: tuple[float | None, float | None] = (None, None)


def compare(one: Path, other: Path, *, resamples: int = 10_000, seed: int = 0, bins: int = 15) -> Comparison:
    """Compare two files.

    Args:
        one: of the first model.
        other: of the second, on the same samples.
        resamples: draws of the bootstrap.
        seed: of them.
        bins: of the calibration error.

    Raises:
        ValueError: a number is less than 1, or as :func:`~lstta_tasks.significance.answers_file.read_pairs` says.
    """
    for name, number in (("--resamples", resamples), ("--bins", bins)):
        if number < 1:
            raise ValueError(f"{name}: a number of 1 or more is wanted, got {number}")
    pairs = read_pairs(one, other)
    if pairs.kind == "a class":
        names = list(dict.fromkeys([*pairs.truth, *pairs.said[0], *pairs.said[1]]))
        first, second = (of_classes(pairs.truth, said, names) for said in pairs.said)
    elif pairs.kind == "a number":
        first, second = (of_numbers(pairs.truth, said) for said in pairs.said)
    else:
        of = {"a list of labels": of_labels, "a class for each segment": of_segments}.get(pairs.kind, of_events)
        first, second = (of(pairs.truth, said) for said in pairs.said)
    differences = paired_bootstrap(first, second, len(pairs.truth), resamples=resamples, seed=seed)
    if pairs.kind != "a class":
        return Comparison(len(pairs.truth), resamples, tuple(differences))
    return Comparison(len(pairs.truth), resamples, tuple(differences), *_of_classes(pairs, bins))


def _of_classes(pairs: Pairs, bins: int) -> tuple[McNemar, tuple[float | None, float | None]]:
    right = [[t == s for t, s in zip(pairs.truth, said, strict=True)] for said in pairs.said]
    counts = dict.fromkeys(((True, False), (False, True), (True, True), (False, False)), 0)
    for both in zip(*right, strict=True):
        counts[both] += 1
    alone = counts[True, False], counts[False, True]
    sure = zip(pairs.confidence, right, strict=True)
    one, other = (None if given is None else calibration_error(given, hit, bins) for given, hit in sure)
    return McNemar(*alone, counts[True, True], counts[False, False], mcnemar(*alone)), (one, other)


def as_json(found: Comparison, one: Path, other: Path) -> dict[str, Any]:
    """All of it, with the files' names."""
    return {"one": str(one), "other": str(other), **asdict(found)}


def print_comparison(found: Comparison, one: Path, other: Path) -> None:
    """The table of measures, then McNemar's and what has to be known."""
    console = Console(highlight=False)
    console.print(Text(escaped(f"A: {one}\nB: {other}", lines=True)))
    table = Table(title=f"{found.samples:,} samples, {found.resamples:,} draws of them", box=SIMPLE_HEAD)
    for name in ("", "A", "B", "B − A", "95 % interval", "p"):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for d in found.differences:
        cells = (f"{d.one:.4f}", f"{d.other:.4f}", f"{d.other - d.one:+.4f}", f"{d.low:+.4f} to {d.high:+.4f}")
        table.add_row(d.name, *cells, _p(d.p))
    if None not in found.calibration:
        ends = [value for value in found.calibration if value is not None]
        table.add_row("calibration error", *(f"{value:.4f}" for value in ends), f"{ends[1] - ends[0]:+.4f}", "", "")
    console.print(table)
    if (m := found.mcnemar) is not None:
        console.print(
            f"McNemar: A alone is right on {m.only_one:,} samples, B alone on {m.only_other:,}, both on {m.both:,}, "
            f"neither on {m.neither:,}: p = {_p(m.p)} (exact)",
            soft_wrap=True,
        )
    console.print("These are two trainings on one split: what other seeds would give they do not say.", soft_wrap=True)


def _p(value: float) -> str:
    return f"{value:.4f}" if value >= 1e-4 else f"{value:.1e}"
