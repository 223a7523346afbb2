"""Make the built-in clips: lstta generate avqa --out data/built-in/avqa"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from lstta_tasks.cli.options import parser_of


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit status.

    Raises:
        ValueError: the built-in world is not installed.
    """
    if find_spec("lstta_world") is None:
        raise ValueError("the built-in clips are a distribution of their own: pip install 'lstta-tasks[world]'")
    from lstta_world.command import add_arguments, run

    parser = parser_of("generate", __doc__)
    add_arguments(parser)
    return run(parser.parse_args(argv))
