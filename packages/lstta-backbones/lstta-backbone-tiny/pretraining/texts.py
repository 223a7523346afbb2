"""The texts of all built-in data sets, in one place; and English words that any vocabulary should have."""

from __future__ import annotations

from lstta_tasks.generate.scene import Split


def texts(split: Split, clips: int, seed: int) -> list[str]:
    return []
FUNCTION_WORDS = ()
