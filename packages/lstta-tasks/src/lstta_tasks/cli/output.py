"""What verbs leave behind besides what they print."""

from __future__ import annotations

from pathlib import Path


def write_json(path: Path | None, content: object) -> None:
    """Write what a verb found, whole or not at all; nothing where no path is given."""
    from lstta_core import whole_files

    if path is not None:
        whole_files.write_json(path, content)
