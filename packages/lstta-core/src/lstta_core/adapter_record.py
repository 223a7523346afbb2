"""What core reads of an ``adapter.json``, as plain dataclasses. All else in it, ``extra`` too, is the caller's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lstta_core.checked import open_record


@open_record
@dataclass(frozen=True)
class Named:
    """A method or a task: its name, beside its options."""

    name: str = ""


@open_record
@dataclass(frozen=True)
class Counts:
    """How many parameters train, and how many there are."""

    trainable: int
    total: int


@dataclass(frozen=True)
class Home:
    """Whose code a part is: distribution and version."""

    distribution: str
    version: str = ""


@open_record
@dataclass(frozen=True)
class CoreRecord:
    """The keys that are read here. ``encoders`` is checked where it is read, by ``check_digests``.

    Attributes:
        schema: of the folder.
        method, task, parameters, selected, needs, command: for the model card.
    """

    schema: int
    method: Named | None = None
    task: Named | None = None
    parameters: Counts | None = None
    selected: Mapping[str, Any] | None = None
    needs: Mapping[str, Home] | None = None
    command: str | None = None
