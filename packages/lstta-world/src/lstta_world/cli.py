"""The command line of the built-in clips. Parses before it imports, so that ``--help`` is immediate."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lstta_world.dataset import Report


class Writer(NamedTuple):
    """A data set that can be written: by ``generate_<module>`` in that module beside this one.

    Attributes:
        help: what it is, in a line.
        clips: how many there are by default in train, val and test.
        samples: what its report counts.
        module: by default the name of the command.
    """

    help: str
    clips: tuple[int, int, int]
    samples: str
    module: str | None = None


WRITERS = {
    "avqa": Writer("questions about musicians, as MUSIC-AVQA", (2000, 200, 300), "questions"),
    "retrieval": Writer("captions of musicians, as MSR-VTT 1k-A", (2000, 200, 300), "captions", "msrvtt"),
    "inference": Writer(
        "statements about concerts with a narrator, as VIOLIN", (2000, 200, 300), "statements", "violin"
    ),
    "humor": Writer("set-ups and punchlines at a concert, as UR-FUNNY V2", (2000, 200, 300), "punchlines", "urfunny"),
    "sentiment": Writer("opinions about films, as CMU-MOSI and CMU-MOSEI", (2000, 300, 400), "scores"),
    "emotion": Writer("dialogues with emotions, as MELD", (2000, 300, 400), "utterances"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Generate a data set; returns the exit status."""
    arguments = _parser().parse_args(argv)
    name: str = arguments.dataset
    module = WRITERS[name].module or name
    generate: Callable[..., Report] = getattr(import_module(f"lstta_world.{module}"), f"generate_{module}")
    try:
        report = generate(
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
        print(f"{split:6} {clips:6} clips {report.samples[split]:7} {WRITERS[name].samples}")
    print(f"{report.root}: {report.rendered} clips rendered, {report.kept} kept, {report.seconds} s")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Generate built-in clips in the layout of a public data set.")
    datasets = parser.add_subparsers(dest="dataset", required=True)
    for name, writer in WRITERS.items():
        command = datasets.add_parser(name, help=writer.help)
        command.add_argument("--out", type=Path, required=True, help="folder to write")
        for split, clips in zip(("train", "val", "test"), writer.clips, strict=True):
            command.add_argument(f"--{split}", type=_count, default=clips, help=f"{split} clips (default {clips})")
        command.add_argument("--seed", type=_count, default=0, help="of all that is random (default 0)")
        command.add_argument("--workers", type=_count, default=2, help="processes that render (default 2)")
    return parser


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, got {value}")
    return value
