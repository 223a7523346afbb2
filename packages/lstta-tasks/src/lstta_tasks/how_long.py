"""How long something takes, in words, and told while it runs where there is no terminal to show a bar on."""

from __future__ import annotations

import sys
import time

FIRST = 20.0
"""Seconds before a run says how long it will take; it says so again each time that twice as many have passed."""


def in_words(seconds: float) -> str:
    """``"40 s"``, ``"12 min"``, ``"3 h 20 min"``, ``"2 days 5 h"``."""
    if seconds < 90:
        return f"{max(seconds, 0):.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours < 48 else f"{hours // 24} days {hours % 24} h"


class HowLong:
    """Says on stderr how far a run is and how long the rest will take, where stderr is no terminal.

    Args:
        what: is done, for the message.
        total: how many there are to do.
        unit: of those, in the plural.
    """

    def __init__(self, what: str, total: int, unit: str) -> None:
        self.what, self.total, self.unit = what, total, unit
        self.done = 0
        self._began = time.monotonic()
        self._next = FIRST

    def update(self) -> None:
        """One more is done."""
        self.done += 1
        passed = time.monotonic() - self._began
        if passed < self._next or self.done >= self.total:
            return
        self._next = 2 * passed
        if not sys.stderr.isatty():
            rest = in_words(passed / self.done * (self.total - self.done))
            said = f"{self.done:,} of {self.total:,} {self.unit} in {in_words(passed)}, about {rest} to go"
            print(f"{self.what}: {said}", file=sys.stderr, flush=True)
