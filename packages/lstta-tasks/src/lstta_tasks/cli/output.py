"""What verbs leave behind besides what they print."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from lstta_tasks.escaped import escaped_json


def write_json(path: Path | None, content: object) -> None:
    """Write what a verb found, whole or not at all; nothing where no path is given."""
    from lstta_core import whole_files

    if path is not None:
        whole_files.write_json(path, content)


def print_json(content: object, *, indent: int | None = None) -> None:
    """Print JSON: as it is where the terminal or file takes UTF-8, else with escapes for what is not ASCII."""
    from lstta_core.whole_files import json_text

    plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    print(escaped_json(json_text(content, "--json", indent=indent, ascii_only=plain)), end="")


def escape_what_cannot_be_shown() -> None:
    """Have letters that the terminal's encoding lacks printed as escapes, so that nothing that was found is lost."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
