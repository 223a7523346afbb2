"""Whose code an error was raised in: ours, or that of a plugin that somebody else installed. Imports no torch."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lstta_core.plugins import Plugins

FRAME = re.compile(r'^\s*File "([^"\n]+)", line (\d+), in (\S+)', re.MULTILINE)
"""A frame in the text of a traceback, which is what is left of an error in a loader's worker."""


@dataclass(frozen=True)
class Blame:
    """Where a plugin's code raised.

    Attributes:
        distribution, version: whose code it is.
        place: file, line and function.
        message: of the error itself, with its type.
    """

    distribution: str
    version: str
    place: str
    message: str

    def __str__(self) -> str:
        who = f"{self.distribution} {self.version}".rstrip()
        return f"{self.message}\n  in the code of plugin {who}: {self.place}; LSTTA_DEBUG=1 shows the traceback"


def blame(error: BaseException, plugins: Plugins) -> Blame | None:
    """Which plugin's code raised an error, or what it was raised from; None where it was ours.

    Other libraries count as the code that calls them.
    """
    folders = _folders(plugins.packages)
    cause: BaseException | None = error
    while cause is not None:
        last: tuple[str, str] | None = None
        for file, line, function in _frames(cause):
            package = next((package for folder, package in folders if Path(file).is_relative_to(folder)), None)
            last = last if package is None else (package, f"{file}, line {line}, in {function}")
        if last is not None and (owner := plugins.packages[last[0]]) is not None:
            return Blame(*owner, last[1], _said(cause) if cause is error else str(error))
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return None


def place_of(error: BaseException) -> str:
    """File, line and function where an error was raised."""
    *_, (file, line, function) = [("nowhere", 0, "nothing"), *_frames(error)]
    return f"{file}, line {line}, in {function}"


def _folders(packages: Mapping[str, object]) -> list[tuple[str, str]]:
    """The folder or file of each package that is imported, the inner ones first."""
    places = []
    for package in packages:
        module = sys.modules.get(package)
        paths = [*getattr(module, "__path__", ())] or [getattr(module, "__file__", None)]
        places += [(path, package) for path in paths if path]
    return sorted(places, key=lambda place: -len(place[0]))


def _frames(error: BaseException) -> Iterator[tuple[str, int, str]]:
    """File, line and function of each frame, outermost first."""
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        yield code.co_filename, trace.tb_lineno, code.co_name
        trace = trace.tb_next
    for file, line, function in FRAME.findall(str(error.args[0]) if error.args else ""):
        yield file, int(line), function


def _said(error: BaseException) -> str:
    """Type and message; of an error that came out of a worker, its last line."""
    text = str(error.args[0]) if error.args and FRAME.search(str(error.args[0])) else ""
    lines = [line for line in text.split("\n") if line.strip()]
    return lines[-1].strip() if lines else f"{type(error).__name__}: {error}"
