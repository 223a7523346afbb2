"""The command line of the built-in clips. Parses before it imports, so that ``--help`` is immediate."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Generate a data set; returns the exit status."""
    arguments = _parser().parse_args(argv)
    from lstta_tasks.generate.avqa import generate_avqa

    try:
        report = generate_avqa(
            arguments.out,
            train=arguments.train,
            val=arguments.val,
            test=arguments.test,
            seed=arguments.seed,
            workers=arguments.workers,
        )
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for split, clips in report.clips.items():
        print(f"{split:6} {clips:6} clips {report.samples[split]:7} questions")
    print(f"{report.root}: {report.rendered} clips rendered, {report.kept} kept, {report.seconds} s")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Generate built-in clips in the layout of a public data set.")
    datasets = parser.add_subparsers(dest="dataset", required=True)
    avqa = datasets.add_parser("avqa", help="questions about musicians, as MUSIC-AVQA")
    avqa.add_argument("--out", type=Path, required=True, help="folder to write")
    for split, clips in (("train", 2000), ("val", 200), ("test", 300)):
        avqa.add_argument(f"--{split}", type=_count, default=clips, help=f"{split} clips (default {clips})")
    avqa.add_argument("--seed", type=_count, default=0, help="of all that is random (default 0)")
    avqa.add_argument("--workers", type=_count, default=2, help="processes that render (default 2)")
    return parser


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, got {value}")
    return value
