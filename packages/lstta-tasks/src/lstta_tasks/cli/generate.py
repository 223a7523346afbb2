"""Make the built-in clips: lstta generate avqa --out data/built-in/avqa"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec


def main(argv: Sequence[str] | None = None) -> int:
    """
    Raises:
        ValueError: the built-in world is not installed.
    """
    if find_spec("lstta_world") is None:
        raise ValueError("the built-in clips are a distribution of their own: pip install 'lstta-tasks[world]'")
    from lstta_world.cli import main as generate

    return generate(argv)
