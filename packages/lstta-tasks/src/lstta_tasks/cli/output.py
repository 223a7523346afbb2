"""What verbs leave behind besides what they print."""

from __future__ import annotations

from pathlib import Path


def write_json(path: Path | None, content: object, *, indent: int = 1) -> None:
    """Write what a verb found, whole or not at all; nothing where no path is given."""
    import json

    from lstta_core.whole_files import write_text

    if path is not None:
        write_text(path, json.dumps(content, indent=indent, ensure_ascii=False) + "\n")
