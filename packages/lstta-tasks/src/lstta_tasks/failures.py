"""What failed of many things that are done one by one, so that one costs no other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC
from typing import NoReturn

from lstta_core.plugin_errors import blame, place_of
from lstta_core.plugins import installed_plugins
from lstta_tasks.escaped import printable

FULL = (ENOSPC, EDQUOT)


class Failures:
    """The reasons by name, in the order in which things failed.

    Attributes:
        reasons: one each.
    """

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}
        self._unexpected: Exception | None = None

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Keep what is raised inside as the reason of this name; but for a full disk, which every other would meet."""
        try:
            yield
        except Exception as error:
            if isinstance(error, OSError) and error.errno in FULL:
                raise
            if not isinstance(error, ValueError | OSError):
                if os.environ.get("LSTTA_DEBUG"):
                    raise
                self._unexpected = error
            self.reasons[printable(name)] = reason_of(error)

    def end(self, message: str, *, alone: bool = False) -> NoReturn:
        """Raise where all failed: the one reason of what was asked for alone, else the message and a list of them.

        Raises:
            ValueError: always, but for an unexpected error of what was asked for alone, which is raised itself.
        """
        if alone:
            raise self._unexpected or ValueError(*self.reasons.values())
        lines = "".join(f"\n  {name}: {reason}" for name, reason in self.reasons.items())
        raise ValueError(f"{message}:{lines}")


def check_name(name: str) -> None:
    """Raise a ValueError where a file's name is no Unicode text, which nothing can be keyed by."""
    if printable(name) != name:
        raise ValueError("its name is no Unicode text: rename it")


def reason_of(error: Exception) -> str:
    """An error in words: whose code raised it, and where, unless it says by itself what is wrong."""
    blamed = blame(error, installed_plugins())
    if blamed is not None:
        return str(blamed)
    if isinstance(error, ValueError | OSError):
        return str(error)
    return f"{type(error).__name__}: {error} ({place_of(error)}); LSTTA_DEBUG=1 shows the traceback"
