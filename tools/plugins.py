#!/usr/bin/env python3
"""List the installed plugins, what they register, and what is wrong with those that are not in use."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from common import user_errors

from lstta_core.plugins import PluginReport, installed_plugins


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON, with tracebacks of broken plugins")
    args = parser.parse_args()
    reports = installed_plugins().reports
    if args.json:
        print(json.dumps([asdict(report) for report in reports], indent=1))
        return
    rows = [("plugin", "distribution", "state", "kind", "name", "what it is")]
    for report in reports:
        rows += _rows(report)
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)).rstrip())


def _rows(report: PluginReport) -> list[tuple[str, ...]]:
    first = (report.name, f"{report.distribution} {report.version}", report.state)
    if report.state != "ok":
        return [(*first, "", "", report.reason)]
    cells = [(r.modality or r.kind, r.name, r.summary) for r in report.registrations]
    return [((*first, *cell) if i == 0 else ("", "", "", *cell)) for i, cell in enumerate(cells)]


if __name__ == "__main__":
    with user_errors():
        main()
