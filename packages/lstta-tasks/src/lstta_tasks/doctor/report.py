"""What the doctor found: as tables, as JSON, and as a list of clips for the cache builder to skip."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lstta_tasks.doctor.examine import Diagnosis, SplitFacts
from lstta_tasks.doctor.finding import Finding
from lstta_tasks.escaped import escaped

DECODED = "Every clip was decoded, as for the cache."
LOOKED_AT = (
    "Clips were looked at (header, first picture, a few moments of sound), not decoded: damage further in, and how "
    "long a clip is where its header only estimates it, show with --decode, or when the cache is built."
)
FEATURES = "All features were read; no clip was looked at, since none is needed."
MOST = 25  # classes that the table of labels shows


def print_diagnosis(diagnosis: Diagnosis) -> None:
    """Tables of the splits, of the labels and of what is wrong."""
    console = Console(highlight=False)
    if diagnosis.splits:
        console.print(_splits(diagnosis))
    if any(diagnosis.labels.values()):
        console.print(_labels(diagnosis))
    if diagnosis.findings:
        console.print(_findings(diagnosis))
    console.print(f"errors: {diagnosis.count('error'):,}, warnings: {diagnosis.count('warning'):,}")
    said = {True: DECODED, False: LOOKED_AT, None: FEATURES}[diagnosis.decoded]
    console.print(said, soft_wrap=True)


def as_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """All of it: ``errors`` and ``warnings`` (counts), ``decoded``, ``splits``, ``labels``, ``findings``, ``unusable``.

    ``decoded`` says whether every clip was decoded, rather than looked at; null where features stand for clips.
    """
    return {
        "errors": diagnosis.count("error"),
        "warnings": diagnosis.count("warning"),
        "decoded": diagnosis.decoded,
        "splits": {split: asdict(facts) for split, facts in diagnosis.splits.items()},
        "labels": {split: dict(count.most_common()) for split, count in diagnosis.labels.items()},
        "findings": [asdict(finding) for finding in diagnosis.findings],
        "unusable": diagnosis.unusable,
    }


def skip_list(diagnosis: Diagnosis) -> str:
    """The clips that cannot be decoded, one a line, each after a comment with the reason.

    Clips of an odd length follow as comments: whoever does not want them takes the sign away. Ids that no line of such
    a file can hold are named in a comment.
    """
    return "".join(
        [
            "# Clips for lstta cache build --skip to leave out: they cannot be decoded.\n",
            *_lines(diagnosis.unusable, "{}\n"),
            "# Clips of an odd length; they are not left out unless the sign before the id goes.\n"
            * bool(diagnosis.odd),
            *_lines(diagnosis.odd, "#{}\n"),
        ]
    )


def _lines(clips: Mapping[str, str], line: str) -> Iterator[str]:
    for name, reason in clips.items():
        yield f"# {' '.join(reason.split())}\n"
        if name == name.strip() and name.isprintable() and not name.startswith("#"):
            yield line.format(name)
        else:
            yield f"# its id cannot stand in this file: {name!r}\n"


def _splits(diagnosis: Diagnosis) -> Table:
    table = Table(title="splits", box=SIMPLE_HEAD)
    table.add_column("")
    for split in diagnosis.splits:
        table.add_column(split, justify="right", no_wrap=True)
    rows: dict[str, Callable[[SplitFacts], str]] = {
        "samples": lambda facts: f"{facts.samples:,}",
        "clips": lambda facts: f"{facts.clips:,}",
        "missing or unreadable": lambda facts: f"{facts.lost:,}",
        "without sound": lambda facts: f"{facts.without_sound:,}",
        "without pictures": lambda facts: f"{facts.without_pictures:,}",
        "seconds, from": lambda facts: _number(facts.shortest),
        "median": lambda facts: _number(facts.median),
        "to": lambda facts: _number(facts.longest),
        "tokens of a text, median": lambda facts: "" if facts.tokens is None else f"{facts.tokens[0]:.0f}",
        "at most": lambda facts: "" if facts.tokens is None else f"{facts.tokens[1]:,}",
    }
    if any(facts.answers is not None for facts in diagnosis.splits.values()):
        rows |= {
            "tokens of an answer, median": lambda facts: "" if facts.answers is None else f"{facts.answers[0]:.0f}",
            "an answer at most": lambda facts: "" if facts.answers is None else f"{facts.answers[1]:,}",
        }
    for name, cell in rows.items():
        table.add_row(name, *map(cell, diagnosis.splits.values()))
    return table


def _number(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:,.1f}"


def _labels(diagnosis: Diagnosis) -> Table:
    table = Table(title="what is to be predicted", box=SIMPLE_HEAD)
    table.add_column("")
    for split in diagnosis.labels:
        table.add_column(split, justify="right", no_wrap=True)
        table.add_column("", justify="right", no_wrap=True)
    first = next(iter(diagnosis.labels.values()))
    names = sorted({name for count in diagnosis.labels.values() for name in count}, key=lambda n: (-first[n], n))
    for name in names[:MOST]:
        cells = [escape(escaped(name))]
        for count in diagnosis.labels.values():
            cells += [f"{count[name]:,}", f"{count[name] / max(1, count.total()):.1%}"]
        table.add_row(*cells)
    if len(names) > MOST:
        table.add_row(f"… and {len(names) - MOST:,} more")
    return table


def _findings(diagnosis: Diagnosis) -> Table:
    """One row a kind of finding, with how often it comes and its first case."""
    table = Table(title="what is wrong", box=SIMPLE_HEAD)
    for name in ("", "", "split", "times", "for example"):
        table.add_column(name, justify="right" if name == "times" else "left", overflow="fold")
    kinds: dict[tuple[str, ...], list[Finding]] = defaultdict(list)
    for finding in diagnosis.findings:
        kinds[finding.level, finding.check, finding.split].append(finding)
    for (level, check, split), cases in kinds.items():
        first = cases[0]
        example = f"{first.id}: {first.detail}" if first.id else first.detail
        style = "bold red" if level == "error" else None
        table.add_row(level, check, split, f"{len(cases):,}", escape(escaped(example, lines=True)), style=style)
    return table
