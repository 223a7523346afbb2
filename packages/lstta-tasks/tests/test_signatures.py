"""Options of a record against what a plugin's callable takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lstta_core.checked import RecordError
from lstta_tasks.signatures import check_options


class Base:
    def __init__(self, *, root: str | Path | None = None) -> None:
        self.root = root


class Task(Base):
    def __init__(self, *, answers: Sequence[str], share: float = 0.1, **others: Any) -> None:
        super().__init__(**others)


def odd(*, size: int = 3) -> None:
    """Its annotation names what is nowhere."""


odd.__annotations__["size"] = "NotThere"


def test_what_fits() -> None:
    check_options(Task, {"answers": ["a"], "share": 1}, "here", "task", paths=False)
    check_options(Task, {"answers": ["a"], "root": "/data"}, "here", "task")
    check_options(Task, {"share": 0.5}, "here", "task", paths=False, whole=False)
    check_options(odd, {"size": [1, 2]}, "here", "encoder")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"answers": ["a"], "root": "/data"}, "here: task.root: not for a record"),
        ({"answers": ["a"], "type": "os:system"}, "here: task.type: not for a record"),
        ({"answers": "ab"}, "here: task.answers: list of str is wanted, got 'ab'"),
        ({"answers": ["a", 3]}, "here: task.answers.1: str is wanted, got 3"),
        ({"share": 0.5}, "here: task.answers: it is missing"),
    ],
)
def test_what_does_not(options: dict[str, Any], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        check_options(Task, options, "here", "task", paths=False)
