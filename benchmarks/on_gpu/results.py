"""What came out, as JSON and as Markdown; both are written anew after every row, each whole or not at all."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lstta_core.whole_files import write_text
from on_gpu.measuring import Found
from on_gpu.rows import FROZEN, FULL

COLUMNS = (
    "",
    "trains",
    "ms",
    "quartiles",
    "steps",
    "× frozen",
    "× full",
    "peak, GiB",
    "kernels",
    "launches",
    "remarks",
)
NOTHING = "–"


@dataclass(frozen=True)
class Row:
    """One row: what was found, or why nothing was.

    Attributes:
        name: of the row.
        seconds: that it took, building included.
        found: None where it failed.
        error: in short, where it failed.
    """

    name: str
    seconds: float
    found: Found | None = None
    error: str | None = None


@dataclass
class Results:
    """Of one run.

    Attributes:
        about: the machine, the versions, the day.
        tests: how those marked ``gpu`` ended, in a line.
        tests_failed: whether one of them failed, or they did not end.
        rows: in order.
        left_out: names of the rows for which there was no time.
    """

    about: dict[str, Any]
    tests: str = "not run"
    tests_failed: bool = False
    rows: list[Row] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def ratio(self, row: Row, to: str) -> float | None:
        """Milliseconds a clip, divided by those of another row of this run; None where either has none."""
        of = {other.name: other.found for other in self.rows}
        there = of.get(to)
        if row.found is None or there is None:
            return None
        return (row.found.ms / row.found.clips) / (there.ms / there.clips)

    def write(self, folder: Path) -> list[Path]:
        """Write both files; returns them."""
        folder.mkdir(parents=True, exist_ok=True)
        slug = re.sub(r"[^a-z0-9]+", "-", f"gpu {self.about['card']}".lower()).strip("-")
        texts = {".json": json.dumps(self.as_dict(), indent=1) + "\n", ".md": self.markdown()}
        paths = []
        for suffix, text in texts.items():
            path = folder / f"{slug}{suffix}"
            write_text(path, text)
            paths.append(path)
        return paths

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        rows = [
            {
                "name": row.name,
                "seconds": round(row.seconds, 1),
                **({"error": row.error} if row.found is None else asdict(row.found)),
                "to_frozen": self.ratio(row, FROZEN),
                "to_full": self.ratio(row, FULL),
            }
            for row in self.rows
        ]
        return {"about": self.about, "tests": self.tests, "rows": rows, "left_out": self.left_out}

    def markdown(self) -> str:
        """The table, what it was measured on above it."""
        lines = ["; ".join(f"{key} {value}" for key, value in self.about.items()) + ".", ""]
        lines += [f"Tests marked gpu: {self.tests}.", ""]
        lines += [_line(COLUMNS), _line(("---", *["---:"] * (len(COLUMNS) - 2), "---"))]
        lines += [_line(self._cells(row)) for row in self.rows]
        if self.left_out:
            lines += ["", f"Left out, for want of time: {'; '.join(self.left_out)}."]
        return "\n".join(lines) + "\n"

    def _cells(self, row: Row) -> tuple[str, ...]:
        found = row.found
        if found is None:
            return (row.name, *[NOTHING] * (len(COLUMNS) - 2), f"failed: {row.error}")
        low, high = found.quartiles
        return (
            row.name,
            f"{found.trainable:,}",
            f"{found.ms:,.2f}",
            f"{low:,.2f}–{high:,.2f}",
            str(found.steps),
            _number(self.ratio(row, FROZEN), ".2f"),
            _number(self.ratio(row, FULL), ".2f"),
            _number(found.peak_gib, ".2f"),
            _number(found.kernels, ",d"),
            _number(found.launches, ",d"),
            found.note,
        )


def _number(value: float | None, form: str) -> str:
    return NOTHING if value is None else format(value, form)


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
