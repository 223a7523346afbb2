"""What configs cost, side by side: lstta profile avqa/tiny_lstta

Parameters, MACs and FLOPs, the size of the adapter on disk, and time and memory of a forward pass and of a training
step, on random clips of the config's own sizes: no data and no cache is needed, but for the size of the head, which
a task may read from its annotations (--cfg-options task.answers='["no", "yes"]' stands in for them).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from lstta_tasks.cli.options import add_cfg_options, cfg_options, keep_freed_memory, parser_of
from lstta_tasks.cli.output import write_json


def main(argv: Sequence[str] | None = None) -> None:
    parser = parser_of("profile", __doc__)
    parser.add_argument("config", nargs="+", help="names of shipped configs (lstta configs), or files")
    add_cfg_options(parser)
    parser.add_argument("--device", default="cpu", help="to measure on: cpu, cuda, cuda:1 (default: cpu)")
    parser.add_argument("--batch-size", type=_count, help="of what is measured (default: the config's)")
    parser.add_argument("--text-length", type=_count, help="of a text in ids (default: the encoder's longest)")
    parser.add_argument("--repeats", type=_count, default=5, help="timed calls of each kind (default: 5)")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--json", type=Path, help="write everything here, every part by itself")
    args = parser.parse_args(argv)

    from lstta_tasks.costs.cost_table import as_json, print_costs
    from lstta_tasks.costs.profile import profile
    from lstta_tasks.experiment.config import load_config

    if args.device == "cpu":
        keep_freed_memory()
    options = cfg_options(args.cfg_options)
    sizes = {"batch_size": args.batch_size, "text_length": args.text_length, "repeats": args.repeats}
    profiles = [profile(load_config(config, options), device=args.device, **sizes) for config in args.config]
    print_costs(profiles, markdown=args.markdown)
    write_json(args.json, [as_json(one) for one in profiles])


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value
