"""Evaluate an adapter folder: lstta test avqa/tiny_lstta work_dirs/tiny_lstta/best"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lstta_tasks.cli.options import ADAPTER, SPLITS, add_config, add_launcher, cfg_options, parser_of
from lstta_tasks.cli.output import write_json


def main(argv: Sequence[str] | None = None) -> None:
    parser = parser_of("test", __doc__)
    add_config(parser)
    parser.add_argument("adapter", type=Path, help=ADAPTER)
    parser.add_argument("--split", default="test", choices=SPLITS)
    parser.add_argument("--json", type=Path, help="write scores and predictions here")
    add_launcher(parser)
    args = parser.parse_args(argv)

    from lstta_tasks.experiment.config import load_config
    from lstta_tasks.experiment.evaluate import evaluate
    from lstta_tasks.experiment.report_table import print_report

    config = load_config(args.config, cfg_options(args.cfg_options))
    report, details = evaluate(config, args.adapter, args.split, args.launcher)
    if report.scores:  # the first rank
        print_report(report, details)
        write_json(args.json, details)
