"""What the tools share: options of the form a.b=c, and errors that a user reads rather than tracebacks."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# A script's folder comes first in the search for modules, where profile.py would hide the standard library's: last.
sys.path.sort(key=lambda entry: Path(entry).resolve() == Path(__file__).resolve().parent)


def cfg_options(pairs: Sequence[str] | None, option: str = "--cfg-options") -> dict[str, Any]:
    """``["a.b=3", "c=text"]`` to ``{"a.b": 3, "c": "text"}``: Python literals, and text for everything else.

    Raises:
        ValueError: a pair without ``=``.
    """
    options: dict[str, Any] = {}
    for pair in pairs or ():
        key, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"{option} wants KEY=VALUE, got {pair!r}")
        try:
            options[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError, TypeError):
            options[key] = value
    return options


@contextmanager
def user_errors() -> Iterator[None]:
    """Print expected errors as one message and exit with 2; ``LSTTA_DEBUG=1`` shows the traceback."""
    try:
        yield
    except (ValueError, LookupError, OSError) as error:
        if os.environ.get("LSTTA_DEBUG"):
            raise
        message = error.args[0] if isinstance(error, LookupError) and error.args else error
        print(f"error: {message}", file=sys.stderr)
        raise SystemExit(2) from None
