"""Records of every kind, mutated: refused in words that name the file, or read soundly; nothing is run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "support" / "strange_records.py"
KINDS = ("adapter", "index", "result", "cache", "prefix", "checkpoint")
MEGABYTES = 200


def read(kind: str, folder: Path, first: int, count: int) -> None:
    """Read so many mutations in a process of its own."""
    command = [sys.executable, str(SCRIPT), kind, str(folder), str(first), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    assert said["tracebacks"] == []
    assert said["happened"] == []
    assert said["megabytes"] <= MEGABYTES
    assert [message for message in said["refused"] if str(folder) not in message.partition("\n")[0]] == []
    assert [message for message in said["refused"] if "LSTTA_DEBUG" in message] == []
    assert len(said["refused"]) + said["read"] == count
    assert len(said["refused"]) > count / 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_mutations(kind: str, tmp_path: Path) -> None:
    read(kind, tmp_path, 1_000, 20)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_two_hundred_mutations(kind: str, tmp_path: Path) -> None:
    read(kind, tmp_path, 0, 200)
