"""The command line of the built-in clips. Parses before it imports, so that ``--help`` is immediate.

A larger command takes :func:`add_arguments` and :func:`run` for a verb of its own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lstta_world.catalogue import CATALOGUE

DESCRIPTION = "Generate built-in clips in the layout of a public data set."


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Generate a data set; returns the exit status. An error is one line on stderr, and status 2."""
    parser = argparse.ArgumentParser(prog=prog, description=DESCRIPTION)
    add_arguments(parser)
    try:
        return run(parser.parse_args(argv))
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser a subcommand for each data set, with its options."""
    data_sets = parser.add_subparsers(dest="dataset", required=True, metavar="DATASET")
    for name, entry in CATALOGUE.items():
        command = data_sets.add_parser(name, help=entry.help, description=f"Generate {entry.help}.")
        command.add_argument("--out", type=Path, required=True, help="folder to write")
        for split, clips in zip(("train", "val", "test"), entry.clips, strict=True):
            command.add_argument(f"--{split}", type=_count, default=clips, help=f"{split} clips (default {clips})")
        command.add_argument("--seed", type=_count, default=0, help="of all that is random (default 0)")
        command.add_argument("--workers", type=_count, default=2, help="processes that render (default 2)")


def run(arguments: argparse.Namespace) -> int:
    """Generate what the arguments of :func:`add_arguments` ask for, and say what was done; returns the exit status.

    Raises:
        ValueError: as :func:`~lstta_world.generate.generate` does; its text is for the user.
    """
    from lstta_world.generate import generate

    report = generate(
        arguments.dataset,
        arguments.out,
        train=arguments.train,
        val=arguments.val,
        test=arguments.test,
        seed=arguments.seed,
        workers=arguments.workers,
    )
    for split, clips in report.clips.items():
        print(f"{split:6} {clips:6} clips {report.samples[split]:7} {CATALOGUE[arguments.dataset].samples}")
    print(f"{report.root}: {report.rendered} clips rendered, {report.kept} kept, {report.seconds} s")
    return 0


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise argparse.ArgumentTypeError(f"must be a whole number, 0 or more, got {text!r}")
    return int(text)
