"""Which section of a config an error is about, where what raised it knows its own arguments alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager


@contextmanager
def in_section(section: str, options: Iterable[str]) -> Iterator[None]:
    """Begin the message of a ValueError that is raised inside with a section, unless it names that already.

    ``"width: 1 or more is wanted"`` becomes ``"method.width: 1 or more is wanted"``, where ``width`` is one of the
    options, and any other ``"method: …"``. It stays the error that it is: a plugin's is still found to be the plugin's.
    """
    try:
        yield
    except ValueError as error:
        said = str(error)
        if type(error) is ValueError and f"{section}." not in said and not said.startswith(f"{section}:"):
            between = "." if said.partition(" ")[0].rstrip(":") in options else ": "
            error.args = (f"{section}{between}{said}",)
        raise
