"""What the verbs share: a config and its options, and errors that a user reads rather than tracebacks."""

from __future__ import annotations

import argparse
import ast
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from lstta_tasks.escaped import escaped

SPLITS = ("train", "val", "test")


class Parser(argparse.ArgumentParser):
    """Takes names that begin with ``-``, as clips of public data sets have: no verb has options of one letter."""

    def _parse_optional(self, arg_string: str) -> Any:
        if arg_string.startswith("-") and not arg_string.startswith("--") and arg_string != "-h":
            return None  # argparse's word for what is no option
        return super()._parse_optional(arg_string)

    def error(self, message: str) -> NoReturn:
        hint = "; names that begin with -- stand at the end, after a lone --"
        super().error(escaped(message) + (hint if re.search("unrecognized|required", message) else ""))


def parser_of(verb: str, description: str | None) -> argparse.ArgumentParser:
    """A verb's parser; the description is its module's docstring, as it stands."""
    return Parser(prog=f"lstta {verb}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter)


def add_config(parser: argparse.ArgumentParser) -> None:
    """The argument ``config``, and ``--cfg-options``."""
    parser.add_argument("config", help="name of a shipped config (lstta configs), or a file")
    add_cfg_options(parser)


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cfg-options", nargs="+", metavar="KEY=VALUE", help="override config values, as a.b=c")


def add_launcher(parser: argparse.ArgumentParser) -> None:
    """How several processes were started."""
    parser.add_argument("--launcher", choices=("none", "pytorch"), default="none", help="pytorch under torchrun")
    parser.add_argument("--local-rank", type=int, default=0, help=argparse.SUPPRESS)


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


def write_json(path: Path | None, content: object, *, indent: int = 1) -> None:
    """Write what a verb found, whole or not at all; nothing where no path is given."""
    import json

    from lstta_core.whole_files import write_text

    if path is not None:
        write_text(path, json.dumps(content, indent=indent, ensure_ascii=False) + "\n")


@contextmanager
def user_errors() -> Iterator[None]:
    """Print expected errors as one message and exit with 2; ``LSTTA_DEBUG=1`` shows the traceback.

    Whatever a plugin's code raises is expected: the message says whose it is and where.
    """
    try:
        yield
    except Exception as error:
        message = None if os.environ.get("LSTTA_DEBUG") else _message(error)
        if message is None:
            raise
        print(f"error: {escaped(str(message), lines=True)}", file=sys.stderr)
        raise SystemExit(2) from None


def _message(error: Exception) -> str | None:
    """What to print of an error; None for one that is ours and unexpected."""
    from lstta_core.plugin_errors import blame, place_of
    from lstta_core.plugins import installed_plugins

    try:
        blamed = blame(error, installed_plugins())
    except ValueError:  # as where LSTTA_PLUGINS names a plugin that is not there, which is then the error itself
        blamed = None
    if blamed is not None:
        return str(blamed)
    if isinstance(error, KeyError | IndexError) and " " not in str(error.args[:1]):  # a key, and no sentence
        return f"{type(error).__name__}: {error} ({place_of(error)}); LSTTA_DEBUG=1 shows the traceback"
    if isinstance(error, LookupError) and error.args:
        return str(error.args[0])
    return str(error) if isinstance(error, ValueError | LookupError | OSError) else None
