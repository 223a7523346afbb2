"""One thing that is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lstta_tasks.task import Split

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with one clip, one sample or one split.

    Attributes:
        level: ``error`` would stop or spoil training; ``warning`` is to be known.
        check: what was looked for, in a word or two; findings are counted by it.
        split: where.
        id: of the clip or the sample; empty for the split as a whole.
        detail: what is the matter, with its file and its figures.
    """

    level: Level
    check: str
    split: Split
    id: str
    detail: str
