"""Whether two models differ by more than chance: lstta significance A.json B.json

A and B are what lstta test --json, or --predictions FILE.jsonl, wrote of two models on one split: a paired bootstrap
over samples for each measure, and where answers are classes McNemar's test and the calibration error (ECE) of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lstta_tasks.cli.options import parser_of
from lstta_tasks.cli.output import write_json


def main(argv: Sequence[str] | None = None) -> None:
    parser = parser_of("significance", __doc__)
    parser.add_argument("one", type=Path, metavar="A", help="answers of the first model, .json or .jsonl")
    parser.add_argument("other", type=Path, metavar="B", help="answers of the second")
    parser.add_argument("--resamples", type=int, default=10_000, help="draws of the bootstrap (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the draws (%(default)s)")
    parser.add_argument("--bins", type=int, default=15, help="of the calibration error (%(default)s)")
    parser.add_argument("--json", type=Path, help="write all numbers here")
    args = parser.parse_args(argv)

    from lstta_tasks.significance.compare import as_json, compare, print_comparison

    found = compare(args.one, args.other, resamples=args.resamples, seed=args.seed, bins=args.bins)
    print_comparison(found, args.one, args.other)
    write_json(args.json, as_json(found, args.one, args.other))
